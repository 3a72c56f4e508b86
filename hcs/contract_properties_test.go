package hcs_test

import (
	"slices"
	"testing"

	"github.com/siloshim/siloshim/hcs"
	"github.com/siloshim/siloshim/schema"
)

func testBasic(t *testing.T, e environment) {
	s := e.start(t)
	p, err := s.Properties(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if p.Owner != e.document.Owner || p.RuntimeOsType != "Windows" {
		t.Errorf("owner %q, system %q", p.Owner, p.RuntimeOsType)
	}
	if p.Statistics != nil || p.ProcessList != nil {
		t.Error("there is more than was asked for")
	}
}

func testStatistics(t *testing.T, e environment) {
	s := e.start(t)
	here(t, e.run(t, s, "wait"))
	p, err := s.Properties(t.Context(), schema.PropertyStatistics)
	if err != nil {
		t.Fatal(err)
	}
	st := p.Statistics
	if st == nil || st.Processor == nil || st.Memory == nil || st.Storage == nil {
		t.Fatalf("statistics %+v are not complete", st)
	}
	if st.ContainerStartTime.IsZero() || st.Timestamp.Before(st.ContainerStartTime) {
		t.Errorf("started %v, now %v", st.ContainerStartTime, st.Timestamp)
	}
	if p.Owner != e.document.Owner {
		t.Errorf("owner %q", p.Owner)
	}
}

func testProcessList(t *testing.T, e environment) {
	s := e.start(t)
	p := e.run(t, s, "wait")
	here(t, p)
	if !listed(t, e, s.ID(), p.Pid()) {
		t.Error("the process is not in the list")
	}
	if err := p.CloseStdin(t.Context()); err != nil {
		t.Fatal(err)
	}
	exit(t, p)
	if listed(t, e, s.ID(), p.Pid()) {
		t.Error("the process is in the list after its end")
	}
}

// listed queries with another handle.
func listed(t *testing.T, e environment, id string, pid uint32) bool {
	t.Helper()
	s, err := e.client.Open(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	defer closeIt(t, s)
	p, err := s.Properties(t.Context(), schema.PropertyProcessList)
	if err != nil {
		t.Fatal(err)
	}
	return slices.ContainsFunc(p.ProcessList, func(d schema.ProcessDetails) bool {
		if d.ImageName == "" || d.CreateTimestamp.IsZero() {
			t.Errorf("details %+v are not complete", d)
		}
		return d.ProcessId == pid
	})
}

func testDead(t *testing.T, e environment) {
	s := e.start(t)
	if err := s.Terminate(t.Context()); err != nil {
		t.Fatal(err)
	}
	wantExit(t, s, schema.ExitForced)
	_, err := s.Properties(t.Context(), schema.PropertyStatistics)
	wantError(t, "properties", err, hcs.ErrNotFound)
}

func testModify(t *testing.T, e environment) {
	s := e.start(t)
	r, err := schema.NewModifySetting(schema.RequestUpdate, schema.PathMemory, 1024)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Modify(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	r.ResourcePath = "Container/Nothing"
	if err := s.Modify(t.Context(), r); err == nil {
		t.Error("an unknown path is accepted")
	}
}

func testEnumerate(t *testing.T, e environment) {
	s := e.create(t)
	for _, q := range []*schema.SystemQuery{nil, {Ids: []string{s.ID()}}, {Owners: []string{e.document.Owner}, Types: []schema.SystemType{schema.TypeContainer}}} {
		list, err := e.client.Enumerate(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.ContainsFunc(list, func(p schema.Properties) bool { return p.Id == s.ID() }) {
			t.Errorf("query %+v does not find the system", q)
		}
	}
	list, err := e.client.Enumerate(t.Context(), &schema.SystemQuery{Ids: []string{"hcstest-missing"}})
	if err != nil || len(list) != 0 {
		t.Errorf("found %v, %v where nothing is", list, err)
	}
}

func testService(t *testing.T, e environment) {
	p, err := e.client.ServiceProperties(t.Context(), schema.ServiceBasic)
	if err != nil {
		t.Fatal(err)
	}
	if len(p.Properties) != 1 {
		t.Fatalf("%d answers to one question", len(p.Properties))
	}
	var basic schema.BasicInformation
	if err := schema.Unmarshal(p.Properties[0], &basic); err != nil {
		t.Fatal(err)
	}
	if !slices.ContainsFunc(basic.SupportedSchemaVersions, func(v schema.Version) bool {
		return v.Major == schema.Level.Major && v.Minor >= schema.Level.Minor
	}) {
		t.Errorf("versions %v lack %v", basic.SupportedSchemaVersions, schema.Level)
	}
}
