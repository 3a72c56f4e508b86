package hostprocess_test

import (
	"io"
	"slices"
	"testing"

	"github.com/siloshim/siloshim/container/containertest"
	"github.com/siloshim/siloshim/container/hostprocess"
	"github.com/siloshim/siloshim/schema"
)

// filesSuite is the contract of [hostprocess.Files] for directories that are kept. base is an existing directory.
func filesSuite(t *testing.T, f hostprocess.Files, base string) {
	t.Helper()
	top, deep := base+`\top`, base+`\top\deep`
	both := []string{top, deep}
	kept := func(why string, want []string) {
		t.Helper()
		if got, err := f.Kept(deep); err != nil || !slices.Equal(got, want) {
			t.Errorf("%s: %q are kept, %v; want %q", why, got, err, want)
		}
	}
	keep := func() (held []io.Closer) {
		t.Helper()
		for _, dir := range both {
			c, err := f.Keep(dir)
			if err != nil {
				t.Fatal(err)
			}
			held = append(held, c)
		}
		return held
	}
	unkeep := func(held []io.Closer) {
		t.Helper()
		for _, c := range held {
			if err := c.Close(); err != nil {
				t.Error(err)
			}
		}
		for _, dir := range slices.Backward(both) {
			if err := f.Unkeep(dir); err != nil {
				t.Error(err)
			}
		}
	}
	kept("neither exists", both)
	one := keep()
	kept("one keeps them", both)
	if !f.IsDir(deep) || f.IsFile(deep) {
		t.Error("it is no directory")
	}
	two := keep()
	unkeep(one)
	if !f.IsDir(deep) {
		t.Error("it was removed although another keeper is open")
	}
	kept("the other keeps them", both)
	unkeep(two)
	if f.IsDir(top) {
		t.Error("it was not removed with its last keeper")
	}
	unkeep(nil)
	if err := f.MakeDir(deep); err != nil || !f.IsDir(top) || !f.IsDir(deep) {
		t.Errorf("make a directory and the one above it: %v", err)
	}
	kept("MakeDir made both", nil)
}

// mountSuite is the contract of [hostprocess.Files] for the volume of a layer.
func mountSuite(t *testing.T, f hostprocess.Files, base, volume string) {
	t.Helper()
	at := base + `\mount`
	for range 2 {
		if err := f.Mount(volume, at); err != nil {
			t.Fatal(err)
		}
		if err := f.Mount(volume, at); err == nil {
			t.Error("it was mounted twice")
		}
		if err := f.MakeDir(at + `\made`); err != nil || !f.IsDir(at+`\made`) {
			t.Errorf("make a directory in it: %v", err)
		}
		for range 2 {
			if err := f.Unmount(at); err != nil {
				t.Error(err)
			}
		}
		if f.IsDir(at) {
			t.Error("the directory was not removed")
		}
	}
}

// accountsSuite is the contract of [hostprocess.Accounts].
func accountsSuite(t *testing.T, a hostprocess.Accounts) {
	t.Helper()
	const name, password = "silo-0123456789abcde", "A long password, 4 tests!"
	for group, want := range map[string]bool{"Users": true, "silo-no-such-group": false} {
		if is, err := a.IsGroup(group); err != nil || is != want {
			t.Errorf("%s is a group: %t, %v; want %t", group, is, err, want)
		}
	}
	if err := a.Create(name, password, "Users", "A test."); err != nil {
		t.Fatal(err)
	}
	if err := a.Create(name, password, "Users", "A test."); err == nil {
		t.Error("it was made twice")
	}
	if list, err := a.List(); err != nil || !slices.Contains(list, hostprocess.Account{Name: name, Comment: "A test."}) {
		t.Errorf("it is not listed among %d accounts, %v", len(list), err)
	}
	own := hostprocess.User{Domain: ".", Name: name, Password: password}
	for _, u := range []hostprocess.User{own, {Domain: "NT AUTHORITY", Name: "SYSTEM", Service: true}} {
		token, err := a.Logon(u)
		if err != nil {
			t.Errorf("log on as %s: %v", u.Name, err)
			continue
		}
		if env, err := token.Environment(); token.Handle() == 0 || len(env) == 0 || err != nil {
			t.Errorf("%s: token %d, %d variables, %v", u.Name, token.Handle(), len(env), err)
		}
		if err := token.Close(); err != nil {
			t.Error(err)
		}
	}
	for _, u := range []hostprocess.User{{Domain: ".", Name: name}, {Name: "silo-no-such-user"}} {
		if token, err := a.Logon(u); err == nil {
			t.Errorf("%s was logged on as %d with a wrong password", u.Name, token.Handle())
		}
	}
	for range 2 {
		if err := a.Delete(name); err != nil {
			t.Error(err)
		}
	}
	if _, err := a.Logon(own); err == nil {
		t.Error("it was logged on after Delete")
	}
}

func TestSimulatedMachine_FilesAndAccounts_FollowTheContract(t *testing.T) {
	m := &containertest.Machine{}
	m.Put(`C:\base\`)
	filesSuite(t, m, `C:\base`)
	accountsSuite(t, m)
	if err := m.Activate(`C:\scratch`, []schema.Layer{{Path: `C:\l`}}); err != nil {
		t.Fatal(err)
	}
	mountSuite(t, m, `C:\base`, containertest.VolumeOf(`C:\scratch`))
	if err := m.Deactivate(`C:\scratch`); err != nil {
		t.Error(err)
	}
	if held := m.Held(); len(held) > 0 {
		t.Errorf("left: %q", held)
	}
}
