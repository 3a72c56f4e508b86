package host

// What stands behind the seams on this machine.
var (
	SystemFiles    Files    = windowsFiles{}
	SystemAccounts Accounts = windowsAccounts{}
	SystemStorage  Storage  = windowsStorage{}
)
