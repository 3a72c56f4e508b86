package command

import (
	"strings"
	"testing"
)

type animal struct {
	Name string `json:"name"`
	Legs int    `json:"legs"`
}

var animalFields = []field[animal]{
	{"Name", func(a *animal) any { return a.Name }},
	{"LegCount", func(a *animal) any { return a.Legs }},
}

func TestFormatter_Print_AsDocker(t *testing.T) {
	rows := []animal{{"cat", 4}, {"millipede", 750}}
	for format, want := range map[string]string{
		"{{.Name}}":                             "cat\nmillipede\n",
		"json":                                  "{\"name\":\"cat\",\"legs\":4}\n{\"name\":\"millipede\",\"legs\":750}\n",
		`table {{.Name}}\t{{.LegCount}}`:        "NAME       LEG COUNT\ncat        4\nmillipede  750\n",
		`{{upper .Name}}{{"\t"}}{{.Name}}`:      "CAT\tcat\nMILLIPEDE\tmillipede\n",
		"{{json .Name}} {{truncate .Name 3}}":   "\"cat\" cat\n\"millipede\" mil\n",
		"{{if gt .LegCount 9}}{{.Name}}{{end}}": "\nmillipede\n",
		"tablet":                                "tablet\ntablet\n",
	} {
		f, err := newFormatter(format, animalFields)
		if err != nil {
			t.Errorf("%s: %v", format, err)
			continue
		}
		var got strings.Builder
		if err := f.print(&got, rows); err != nil || got.String() != want {
			t.Errorf("%s: %v\n%s\nwant\n%s", format, err, &got, want)
		}
	}
}

func TestFormatter_MoreRows_TitlesOnce(t *testing.T) {
	f, err := newFormatter("table {{.Name}}", animalFields)
	if err != nil {
		t.Fatal(err)
	}
	var got strings.Builder
	for _, name := range []string{"cat", "dog"} {
		if err := f.print(&got, []animal{{Name: name}}); err != nil {
			t.Fatal(err)
		}
	}
	if want := "NAME\ncat\ndog\n"; got.String() != want {
		t.Errorf("%q, want %q", &got, want)
	}
}

func TestFormatter_WrongTemplate_ErrorNamesFields(t *testing.T) {
	for format, want := range map[string]string{
		"{{.Name": "--format: ", "table": `such as "table {{.Name}}"`, "{{.Wings}}": "the fields are .Name .LegCount",
	} {
		f, err := newFormatter(format, animalFields)
		if err == nil {
			err = f.print(&strings.Builder{}, []animal{{}})
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", format, err, want)
		}
	}
}
