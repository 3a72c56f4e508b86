package trace

import "testing"

func TestParse(t *testing.T) {
	const good = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
	s, ok := parse(good)
	if !ok || s.TraceID.String() != "4bf92f3577b34da6a3ce929d0e0e4736" || s.SpanID.String() != "00f067aa0ba902b7" || !s.IsSampled() {
		t.Errorf("parse(%q) = %+v, %v", good, s, ok)
	}
	for _, bad := range []string{
		"", "00", "00-4bf9-00f067aa0ba902b7-01", "ff" + good[2:],
		"00-00000000000000000000000000000000-00f067aa0ba902b7-01",
		"00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
		"00-zzf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
	} {
		if s, ok := parse(bad); ok {
			t.Errorf("parse(%q) = %+v, want a refusal", bad, s)
		}
	}
}
