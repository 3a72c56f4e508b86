package nomad

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/nomad/api"
)

const deploy = "../../deploy/nomad"

// jobs are the jobs of deploy/ by file.
func jobs(t *testing.T) map[string]*api.Job {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(deploy, "*.hcl"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("%d files in %s: %v", len(paths), deploy, err)
	}
	all := map[string]*api.Job{}
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		job, err := Decode(filepath.Base(path), text)
		if err != nil {
			t.Fatal(err)
		}
		all[filepath.Base(path)] = job
	}
	return all
}

// tasks are the tasks of a job with their groups.
func tasks(job *api.Job) (all []*api.Task, groups []*api.TaskGroup) {
	for _, group := range job.TaskGroups {
		for _, task := range group.Tasks {
			all, groups = append(all, task), append(groups, group)
		}
	}
	return all, groups
}

func TestDecode_JobFiles_AreNomadsTypes(t *testing.T) {
	for name, job := range jobs(t) {
		list, _ := tasks(job)
		if len(list) == 0 {
			t.Errorf("%s has no tasks", name)
		}
		job.Canonicalize()
		for _, task := range list {
			if task.Driver != "raw_exec" || task.Config["command"] == nil {
				t.Errorf("%s: the task %s has the driver %q and the configuration %v", name, task.Name, task.Driver, task.Config)
			}
		}
	}
}

// Nomad asks Consul for a service without a provider, and most clusters have none.
func TestJob_Services_NameTheirProviderAndPort(t *testing.T) {
	for name, job := range jobs(t) {
		list, groups := tasks(job)
		for i, task := range list {
			ports := portsOf(groups[i])
			for _, service := range append(groups[i].Services, task.Services...) {
				if service.Provider != "nomad" {
					t.Errorf("%s: the service %s has the provider %q, want nomad", name, service.Name, service.Provider)
				}
				if !slices.Contains(ports, service.PortLabel) {
					t.Errorf("%s: the service %s has the port %q, the group has %q", name, service.Name, service.PortLabel, ports)
				}
			}
		}
	}
}

func portsOf(group *api.TaskGroup) []string {
	var labels []string
	for _, network := range group.Networks {
		for _, port := range slices.Concat(network.DynamicPorts, network.ReservedPorts) {
			labels = append(labels, port.Label)
		}
	}
	return labels
}

var portReference = regexp.MustCompile(`\$\{NOMAD_(?:PORT|IP|ADDR)_(\w+)\}`)

func TestJob_References_HaveTheirPort(t *testing.T) {
	for name, job := range jobs(t) {
		list, groups := tasks(job)
		for i, task := range list {
			text := strings.Builder{}
			for _, v := range task.Env {
				text.WriteString(v)
			}
			for _, v := range task.Config {
				text.WriteString(fmt.Sprint(v))
			}
			for _, match := range portReference.FindAllStringSubmatch(text.String(), -1) {
				if !slices.Contains(portsOf(groups[i]), match[1]) {
					t.Errorf("%s: %s, and the group has the ports %q", name, match[0], portsOf(groups[i]))
				}
			}
			if !slices.Contains(portsOf(groups[i]), "damon") {
				t.Errorf("%s: without a port \"damon\" there is no NOMAD_ADDR_damon, and no metrics", name)
			}
		}
	}
}

// silo waits 30 s for the program after Ctrl+Break. If Nomad kills silo before, the program gets no time.
func TestJob_KillTimeout_IsLongerThanSilosGrace(t *testing.T) {
	for name, job := range jobs(t) {
		list, _ := tasks(job)
		for _, task := range list {
			if task.KillTimeout == nil || *task.KillTimeout <= 30*time.Second {
				t.Errorf("%s: the task %s has the kill_timeout %v, want more than 30s", name, task.Name, task.KillTimeout)
			}
			if task.KillSignal != "" {
				t.Errorf("%s: the task %s has the kill_signal %q; on Windows Nomad sends Ctrl+Break", name, task.Name, task.KillSignal)
			}
		}
	}
}

func TestDecode_UnknownOrWrong_ErrorNamesThePlace(t *testing.T) {
	for body, want := range map[string]string{
		`prioritee = 5`:                            `j.hcl:2,1-14: api.Job has no attribute "prioritee"`,
		`group "g" { task "t" { limits {} } }`:     `api.Task has no block "limits"`,
		`group "g" { task "t" { env = {} } }`:      `api.Task has no attribute "env"`,
		`group { }`:                                `the block "group" has 0 labels, want 1`,
		`group "g" { count = "many" }`:             `count: a number is required`,
		`group "g" { shutdown_delay = 5 }`:         `want a duration`,
		`group "g" { shutdown_delay = "5 min" }`:   `unknown unit`,
		"update {}\nupdate {}":                     `the block "update" exists twice`,
		`group "g" { task "t" { lifecycle { } } }`: `the attribute "hook" is missing`,
	} {
		_, err := Decode("j.hcl", []byte("job \"j\" {\n"+strings.ReplaceAll(strings.ReplaceAll(body, "{ ", "{\n"), " }", "\n}")+"\n}"))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", body, err, want)
		}
	}
}
