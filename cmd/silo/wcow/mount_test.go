package wcow_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	specs "github.com/opencontainers/runtime-spec/specs-go"

	"github.com/siloshim/siloshim/cmd/silo/wcow"
)

func TestParseMount(t *testing.T) {
	for text, want := range map[string]specs.Mount{
		`source=C:\a,target=C:\b`:                             {Source: `C:\a`, Destination: `C:\b`},
		`type=bind,src=C:\a b=c,dst=C:\b,readonly,ro`:         {Source: `C:\a b=c`, Destination: `C:\b`, Options: []string{"ro"}},
		`type=npipe,source=\\.\pipe\a,destination=\\.\pipe\b`: {Source: `\\.\pipe\a`, Destination: `\\.\pipe\b`},
	} {
		got, err := wcow.ParseMount(text)
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("%s: %v (-want +got):\n%s", text, err, diff)
		}
	}
	for text, want := range map[string]string{
		"": "is not source=", `C:\a:C:\b`: "is not source=", `source=C:\a`: "name source= and target=", `source=,target=C:\b`: "name source= and target=",
		`type=tmpfs,target=C:\b`: "is not bind or npipe", `source=C:\a,target=C:\b,readonly=false`: "takes no value",
	} {
		if _, err := wcow.ParseMount(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
}

func TestParseNetwork(t *testing.T) {
	const one, two = "6bf84ac7-5bd1-4b5e-9a8e-2f3c1f0c7a11", "6BF84AC7-5BD1-4B5E-9A8E-2F3C1F0C7A12"
	for text, want := range map[string]*specs.WindowsNetwork{
		"":                 nil,
		"namespace=" + one: {NetworkNamespace: one},
		"endpoint=" + one + " endpoint=" + two + " dns-search=corp.example": {EndpointList: []string{one, two}, DNSSearchList: []string{"corp.example"}},
	} {
		got, err := wcow.ParseNetwork(strings.Fields(text))
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("%s: %v (-want +got):\n%s", text, err, diff)
		}
	}
	for text, want := range map[string]string{
		"nat": "is not namespace=GUID", "namespace=": "no GUID", "endpoint={" + one + "}": "no GUID", "endpoint=6bf84ac7-5bd1-4b5e-9a8e-2f3c1f0c7a1g": "no GUID",
		"endpoint=6bf84ac7-5bd1-4b5e-9a8e-2f3c1f0c-a11": "no GUID", "namespace=" + one + " namespace=" + two: "one namespace",
		"namespace=" + one + " endpoint=" + two: "exclude each other", "dns-search=corp": "needs a namespace=", "dns-search=": "is not namespace=GUID",
	} {
		if _, err := wcow.ParseNetwork(strings.Fields(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
}
