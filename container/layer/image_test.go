package layer

import "testing"

// TestSplitImage: CimMountImage and CimMergeMountImage take no device with a backslash at its end.
func TestSplitImage(t *testing.T) {
	const volume = `\\?\Volume{9d3e3f0a-59d6-4d0f-a7f6-04c1a5b3c001}`
	for _, test := range []struct {
		path   string
		device bool
		dir    string
	}{
		{`C:\images\1\layer.cim`, false, `C:\images\1`},
		{`C:\layer.cim`, false, `C:\`},
		{`C:\images\1.bcim\layer.cim`, false, `C:\images\1.bcim`},
		{`C:\images\1.bcim\\layer.cim`, false, `C:\images\1.bcim`},
		{`C:/images/1.bcim/layer.cim`, false, `C:\images\1.bcim`},
		{volume + `\layer.cim`, false, volume + `\`},
		{volume + `\images\layer.cim`, false, volume + `\images`},
		{`\\.\PhysicalDrive2\layer.cim`, true, `\\.\PhysicalDrive2`},
		{`\\.\PhysicalDrive2\\layer.cim`, true, `\\.\PhysicalDrive2`},
		{volume + `\layer.cim`, true, volume},
	} {
		if dir, name := splitImage(test.path, test.device); dir != test.dir || name != "layer.cim" {
			t.Errorf("%s, device %t: %s in %s, want it in %s", test.path, test.device, name, dir, test.dir)
		}
	}
}
