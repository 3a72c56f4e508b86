// Package layout compares the layouts of the Windows structures of this module with those of a C compiler. Its program,
// testdata/layout.c, prints them from mingw's headers; testdata/mingw-layouts.txt has its output. testdata/win64-layouts.txt
// is made from the headers of the Windows SDK and of phnt. layout_test.go in the module's root compares our structures with
// both lists.
package layout
