// Command properties prints the properties of executables as Windows reads them, and the number of their icons:
//
//	properties.exe silo.exe
package main
