package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
)

// iconFile is the icon of the executables, in the repository.
const iconFile = "deploy/windows/silo.ico"

// numbers is a version as Windows has it.
type numbers struct{ Major, Minor, Patch, Build int }

// properties is the configuration of goversioninfo.
//
// https://learn.microsoft.com/windows/win32/menurc/versioninfo-resource
type properties struct {
	FixedFileInfo struct {
		FileVersion, ProductVersion numbers
		FileFlagsMask               string
		FileFlags                   string
		FileOS                      string // VOS_NT_WINDOWS32
		FileType                    string // VFT_APP
		FileSubType                 string
	}
	StringFileInfo map[string]string
	VarFileInfo    struct {
		Translation struct{ LangID, CharsetID string }
	}
}

// writeResource writes the properties and the icon of an executable as an object file, which the linker takes.
func (b *build) writeResource(ctx context.Context, c program, path string) error {
	text, err := json.Marshal(propertiesOf(b.source, c))
	if err != nil {
		return err
	}
	config := filepath.Join(b.dir, c.name+"-properties.json")
	if err := os.MkdirAll(b.dir, 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(config, text, 0o644); err != nil {
		return err
	}
	args := []string{"-64", fmt.Sprintf("-arm=%v", b.arch == "arm64"), "-icon", iconFile, "-o", path, config}
	_, err = run(ctx, b.source.dir, nil, b.tools.path("goversioninfo"), args...)
	return err
}

func propertiesOf(s *source, c program) properties {
	var p properties
	v := numbers{Major: s.version.number[0], Minor: s.version.number[1], Patch: s.version.number[2]}
	f := &p.FixedFileInfo
	f.FileVersion, f.ProductVersion = v, v
	f.FileFlagsMask, f.FileFlags, f.FileOS, f.FileType, f.FileSubType = "3f", "00", "040004", "01", "00"
	p.StringFileInfo = map[string]string{
		"Comments": "commit " + s.commit, "CompanyName": "The siloshim authors", "FileDescription": c.description, "FileVersion": s.version.bare(),
		"InternalName": c.name, "LegalCopyright": "The siloshim authors, Apache License 2.0", "OriginalFilename": c.exe(),
		"ProductName": "siloshim", "ProductVersion": s.version.text,
	}
	p.VarFileInfo.Translation.LangID, p.VarFileInfo.Translation.CharsetID = "0409", "04B0" // English, UTF-16
	return p
}
