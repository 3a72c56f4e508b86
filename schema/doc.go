// Package schema has the JSON documents of the Windows Host Compute Service (HCS)
// as Go types: the description of a Windows Server container, the queries and
// changes that the service takes, and its answers.
//
//	ComputeSystem ── Container ── Storage, Processor, Memory, Networking, ...
//	ProcessParameters ── ProcessStatus, ProcessModifyRequest, SignalProcessOptions
//	PropertyQuery ── Properties ── Statistics, ProcessDetails
//	ModifySettingRequest, ModificationRequest ── ServiceProperties
//	ResultError, SystemExitStatus
//
// The documents are those of schema version 2, at the level that the service of
// Windows Server 2019 understands ([Level]). Numbers are as wide as Microsoft
// documents them. Fields have Microsoft's own names; a field that the reference
// of the schema does not list, but that is known from Microsoft's own clients,
// says so. [NspawnConfig] is no document of the service, but the configuration of a
// tool that uses it.
//
// [Unmarshal] keeps the members that a document has no field for in Unknown, and
// [Marshal] writes them back: a document of a newer service or client loses nothing.
// encoding/json works on the documents as well, without the unknown members.
//
// The package validates nothing; the service does. Documents hold no locks: they
// are safe for concurrent use as long as they are only read.
//
// The package imports the standard library alone. All other packages may import it.
//
// See https://learn.microsoft.com/virtualization/api/hcs/schemareference.
package schema
