package damon_test

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/siloshim/siloshim/cmd/silo/damon"
)

type nomadVariable struct {
	name, value string
	want        func(*damon.Config)
}

// nomadVariables are the variables that Nomad gives to tasks, with what each changes alone. nil means nothing: the program
// inherits the variable, and silo does not read it.
//
// https://developer.hashicorp.com/nomad/docs/reference/runtime-environment-settings
var nomadVariables = []nomadVariable{
	{"NOMAD_ALLOC_DIR", "/shared", func(c *damon.Config) { c.LogFile = "/shared/logs/damon.log" }},
	{"NOMAD_TASK_DIR", "/shared/web/local", nil},
	{"NOMAD_SECRETS_DIR", "/shared/web/secrets", nil},
	{"NOMAD_MEMORY_LIMIT", "256", func(c *damon.Config) { c.MemoryMB, c.HardMemoryMB = 256, 256 }},
	{"NOMAD_MEMORY_MAX_LIMIT", "512", func(c *damon.Config) { c.HardMemoryMB = 512 }},
	{"NOMAD_CPU_LIMIT", "1000", func(c *damon.Config) { c.CPUMHz = 1000 }},
	{"NOMAD_CPU_CORES", "2-3", nil},
	{"NOMAD_ALLOC_ID", "3f07eca7-adbc-454c-9e97-06d78ff28e28", label("nomad_alloc_id")},
	{"NOMAD_SHORT_ALLOC_ID", "3f07eca7", nil},
	{"NOMAD_ALLOC_NAME", "web.web[0]", nil},
	{"NOMAD_ALLOC_INDEX", "0", label("nomad_alloc_index")},
	{"NOMAD_TASK_NAME", "web", func(c *damon.Config) {
		c.LogFile, c.Labels["nomad_task_name"] = "/alloc/web.damon.log", "web"
	}},
	{"NOMAD_GROUP_NAME", "web", label("nomad_group_name")},
	{"NOMAD_JOB_ID", "web", nil},
	{"NOMAD_JOB_NAME", "web", label("nomad_job_name")},
	{"NOMAD_JOB_PARENT_ID", "web/periodic-1", nil},
	{"NOMAD_DC", "dc1", label("nomad_dc")},
	{"NOMAD_PARENT_CGROUP", "/nomad.slice", nil},
	{"NOMAD_NAMESPACE", "default", nil},
	{"NOMAD_REGION", "global", label("nomad_region")},
	{"NOMAD_META_key", "value", nil},
	{"NOMAD_TOKEN", "eyJhbGciOi", nil},
	{"NOMAD_ADDR_damon", "10.0.0.1:20000", func(c *damon.Config) { c.Address = "10.0.0.1:20000" }},
	{"NOMAD_ADDR_label", "10.0.0.1:20001", nil},
	{"NOMAD_IP_label", "10.0.0.1", nil},
	{"NOMAD_PORT_label", "20001", nil},
	{"NOMAD_HOST_ADDR_label", "10.0.0.1:20001", nil},
	{"NOMAD_HOST_IP_label", "10.0.0.1", nil},
	{"NOMAD_HOST_PORT_label", "20001", nil},
	{"NOMAD_ALLOC_ADDR_label", "10.0.0.1:20001", nil},
	{"NOMAD_ALLOC_INTERFACE_label", "eth0", nil},
	{"NOMAD_ALLOC_IP_label", "10.0.0.1", nil},
	{"NOMAD_ALLOC_PORT_label", "20001", nil},
	{"NOMAD_UPSTREAM_ADDR_service", "127.0.0.1:20002", nil},
	{"NOMAD_UPSTREAM_IP_service", "127.0.0.1", nil},
	{"NOMAD_UPSTREAM_PORT_service", "20002", nil},
	{"NOMAD_ENVOY_ADMIN_ADDR_service", "127.0.0.2:19001", nil},
	{"NOMAD_ENVOY_READY_ADDR_service", "127.0.0.1:19101", nil},
}

// label is a variable whose value becomes a label; the test sets the value.
func label(name string) func(*damon.Config) {
	return func(c *damon.Config) { c.Labels[name] = "" }
}

func TestFromEnvironment_NomadVariable_HasItsEffectAlone(t *testing.T) {
	for _, v := range nomadVariables {
		want := defaults()
		if v.want != nil {
			v.want(&want)
		}
		for name, value := range want.Labels {
			if value == "" {
				want.Labels[name] = v.value
			}
		}
		got, err := damon.FromEnvironment(func(name string) string {
			if name == v.name {
				return v.value
			}
			return ""
		}, "/alloc")
		if err != nil {
			t.Errorf("%s: %v", v.name, err)
			continue
		}
		got.LogFile = strings.ReplaceAll(got.LogFile, `\`, "/")
		if diff := cmp.Diff(&want, got); diff != "" {
			t.Errorf("%s=%s (-want +got):\n%s", v.name, v.value, diff)
		}
	}
}

// FromEnvironment queries no variable of Nomad that is missing in the table.
func TestFromEnvironment_Queries_AreInTheTable(t *testing.T) {
	var asked []string
	_, err := damon.FromEnvironment(func(name string) string {
		asked = append(asked, name)
		return ""
	}, "/alloc")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range asked {
		if strings.HasPrefix(name, "NOMAD_") && !slices.ContainsFunc(nomadVariables, func(v nomadVariable) bool { return v.name == name }) {
			t.Errorf("%s is read, and is not in the table", name)
		}
	}
}

var nomadRow = regexp.MustCompile("(?m)^\\| `(NOMAD_[A-Z_]+)(<\\w+>|damon)?` \\| (.+) \\|$")

// docs/coming-from.md has a row for each variable, and says for which silo does nothing.
func TestNomadVariables_Page_HasARowForEach(t *testing.T) {
	page, err := os.ReadFile("../../../docs/coming-from.md")
	if err != nil {
		t.Fatal(err)
	}
	documented := map[string]string{}
	for _, row := range nomadRow.FindAllStringSubmatch(string(page), -1) {
		documented[row[1]+strings.Trim(row[2], "<>")] = row[3]
	}
	for _, v := range nomadVariables {
		effect, ok := documented[v.name]
		if !ok || (effect == "inherited") != (v.want == nil) {
			t.Errorf("docs/coming-from.md says %q about %s", effect, v.name)
		}
		delete(documented, v.name)
	}
	for name := range documented {
		t.Errorf("docs/coming-from.md has %s, and the table has not", name)
	}
}
