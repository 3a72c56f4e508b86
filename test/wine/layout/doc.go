// Package layout asks a C compiler for the layouts of the Windows structures that this module declares. Its program,
// testdata/layout.c, prints them from mingw's headers, and testdata/mingw-layouts.txt has what it printed. testdata/win64-layouts.txt is
// made of the Windows SDK's headers and of phnt. The test layout_test.go in the module's root compares our structures
// with both lists.
package layout
