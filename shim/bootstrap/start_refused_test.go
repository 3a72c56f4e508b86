package bootstrap

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/types/known/anypb"
)

func TestStart_BadInput_Refused(t *testing.T) {
	unknown := &anypb.Any{TypeUrl: "example.Options", Value: []byte("x")}
	full := []string{"-namespace", "ns", "-id", "c1", "start"}
	tests := []struct {
		name, config, want string
		stdin              []byte
		args               []string
		env                string
	}{
		{"no verb", goodConfig, "no verb; use start or delete", nil, []string{"-namespace", "ns", "-id", "c1"}, ""},
		{"unknown verb", goodConfig, `verb "stop" is unknown`, nil, []string{"stop"}, ""},
		{"unknown flag", goodConfig, "-nope", nil, []string{"-nope", "start"}, ""},
		{"no namespace", goodConfig, "no namespace; pass -namespace", nil, []string{"-id", "c1", "start"}, ""},
		{"no id", goodConfig, "no id; pass -id", nil, []string{"-namespace", "ns", "start"}, ""},
		{"id with a path", goodConfig, `id "../c1"`, nil, []string{"-namespace", "ns", "-id", "../c1", "start"}, ""},
		{"namespace with a path", goodConfig, `namespace "a\\b"`, nil, []string{"-namespace", `a\b`, "-id", "c1", "start"}, ""},
		{"no ttrpc address", goodConfig, "TTRPC_ADDRESS", nil, full, "TTRPC_ADDRESS="},
		{"no config.json", "", "config.json", nil, full, ""},
		{"malformed config.json", `{"process":`, "malformed JSON at byte 11", nil, full, ""},
		{"no args", `{"process":{}}`, "process.args is empty", nil, full, ""},
		{"unknown options", goodConfig, "example.Options", marshal(t, unknown), full, ""},
		{"garbage on stdin", goodConfig, "read standard input: neither", []byte{0xff, 0xff}, full, ""},
		{"sandbox with a path", `{"process":{"args":["a"]},"annotations":{"io.kubernetes.cri.container-type":"container","io.kubernetes.cri.sandbox-id":"../x"}}`, "sandbox-id", nil, full, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d := newDaemon(t)
			if tt.env != "" {
				d.env = append(d.env, tt.env)
			}
			bundle := d.bundle("c1", tt.config)
			before := names(t, d.state, bundle)
			cmd := d.command(bundle, tt.stdin, tt.args...)
			var stdout, stderr bytes.Buffer
			cmd.Stdout, cmd.Stderr = &stdout, &stderr
			if err := cmd.Run(); err == nil || cmd.ProcessState.ExitCode() != 1 {
				t.Errorf("exit: %v, want status 1", err)
			}
			if stdout.Len() > 0 {
				t.Errorf("stdout: %q, want nothing", stdout.Bytes())
			}
			if line := stderr.String(); !strings.Contains(line, tt.want) || strings.Count(line, "\n") != 1 {
				t.Errorf("stderr: %q, want one line with %q", line, tt.want)
			}
			if after := names(t, d.state, bundle); !slices.Equal(before, after) {
				t.Errorf("files before %v, after %v", before, after)
			}
		})
	}
}
