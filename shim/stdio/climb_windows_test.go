package stdio

import (
	"testing"

	"github.com/containerd/errdefs"
)

func TestParseAddress_PathThatIsNoFileOfADrive_Refused(t *testing.T) {
	for _, uri := range []string{
		"file:///C:/logs/x.log:stream", "file:///C:/logs/NUL", "file:///C:/logs/com1.log", "file:///C:/CON/x.log", "file:///C:/../../x.log",
		"file:////?/C:/x.log", "file:////./pipe/x", "file:///C:x.log", "file:////server/share/x.log", "binary:///C:/logs/x.exe:y.exe", "binary:///C:/AUX/x.exe",
	} {
		if a, err := parseAddress("stdout", uri); !errdefs.IsInvalidArgument(err) {
			t.Errorf("%s: %+v, %v; want an invalid argument", uri, a, err)
		}
	}
	for _, uri := range []string{"file:///C:/logs/x.log", "file:///c:/a/../b/x.log", "file:///D:/nul-x/console.log", "binary:///C:/Program%20Files/x.exe?a"} {
		if _, err := parseAddress("stdout", uri); err != nil {
			t.Errorf("%s: %v", uri, err)
		}
	}
}
