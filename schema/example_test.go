package schema_test

import (
	"encoding/json"
	"fmt"
	"log"

	"github.com/siloshim/siloshim/schema"
)

// Describe a container with a limit of memory and a directory of the host.
func ExampleMarshal() {
	document, err := schema.Marshal(schema.ComputeSystem{
		Owner:                             "example",
		SchemaVersion:                     &schema.Level,
		ShouldTerminateOnLastHandleClosed: true,
		Container: &schema.Container{
			Memory: &schema.Memory{SizeInMB: 512},
			MappedDirectories: []schema.MappedDirectory{
				{HostPath: `C:\data`, ContainerPath: `C:\in`, ReadOnly: true},
			},
			Unknown: schema.Unknown{"Novelty": json.RawMessage(`{"On":true}`)}, // of a newer service
		},
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(string(document))
	// Output:
	// {"Owner":"example","SchemaVersion":{"Major":2,"Minor":1},"Container":{"MappedDirectories":[{"HostPath":"C:\\data","ContainerPath":"C:\\in","ReadOnly":true}],"Memory":{"SizeInMB":512},"Novelty":{"On":true}},"ShouldTerminateOnLastHandleClosed":true}
}

// Read the answer to a query of the statistics.
func ExampleUnmarshal() {
	const answer = `{"Id":"c1","State":"Running","Statistics":{"Memory":{"MemoryUsageCommitBytes":1048576},"Novelty":7}}`
	var p schema.Properties
	if err := schema.Unmarshal([]byte(answer), &p); err != nil {
		log.Fatal(err)
	}
	fmt.Println(p.Id, p.State, p.Statistics.Memory.MemoryUsageCommitBytes)
	fmt.Println(string(p.Statistics.Unknown["Novelty"]))
	// Output:
	// c1 Running 1048576
	// 7
}
