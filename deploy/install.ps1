<#
.SYNOPSIS
Installs silo, and the shim and its runtime handlers for containerd.

.DESCRIPTION
Downloads the archive of a release, or takes the one that -Archive names. Compares its SHA-256 checksum with SHA256SUMS, or with
-Sha256. Extracts the archive into -Destination and runs silo install there. Nothing is extracted if the checksum differs.

Run it as administrator.

.PARAMETER Version
The release to download, such as v0.1.0. The default is the latest one.

.PARAMETER Archive
The path of an archive, for a machine without access to the internet. SHA256SUMS must be beside it, unless -Sha256 is set.

.PARAMETER Sha256
The checksum that the archive must have.

.PARAMETER Destination
The directory for silo.exe, the shim and their licenses.

.PARAMETER SkipShim
Extracts the files only. Containerd is left as it is.

.PARAMETER InstallArguments
More arguments for silo install. The default edits config.toml if that is needed, and does not restart containerd.

.EXAMPLE
.\install.ps1 -Version v0.1.0 -InstallArguments --edit, --restart

.EXAMPLE
.\install.ps1 -Archive .\siloshim_v0.1.0_windows_amd64.zip
#>
[CmdletBinding(SupportsShouldProcess, DefaultParameterSetName = 'Download')]
param(
    [Parameter(ParameterSetName = 'Download')]
    [ValidatePattern('^(latest|v\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?)$')]
    [string] $Version = 'latest',

    [Parameter(Mandatory, ParameterSetName = 'Archive')]
    [string] $Archive,

    [ValidatePattern('^[0-9A-Fa-f]{64}$')]
    [string] $Sha256,

    [string] $Destination = (Join-Path $env:ProgramFiles 'silo'),

    [switch] $SkipShim,

    [string[]] $InstallArguments = @('--edit')
)

Set-StrictMode -Version 2.0
$ErrorActionPreference = 'Stop'
$ProgressPreference = 'SilentlyContinue' # Windows PowerShell downloads much slower with it

$project = 'https://github.com/siloshim/siloshim'

function Get-Architecture {
    # A 32-bit PowerShell has the machine's architecture in the first variable.
    $name = if ($env:PROCESSOR_ARCHITEW6432) { $env:PROCESSOR_ARCHITEW6432 } else { $env:PROCESSOR_ARCHITECTURE }
    switch ($name) {
        'AMD64' { return 'amd64' }
        'ARM64' { return 'arm64' }
        default { throw "no release for processor architecture $name; build silo from its source" }
    }
}

function Get-LatestVersion {
    $release = Invoke-RestMethod -UseBasicParsing -Uri 'https://api.github.com/repos/siloshim/siloshim/releases/latest'
    return $release.tag_name
}

function Get-ListedSum([string] $SumsFile, [string] $Name) {
    foreach ($line in Get-Content -LiteralPath $SumsFile) {
        $sum, $file = $line -split '  ', 2
        if ($file -ceq $Name) {
            return $sum
        }
    }
    throw "$SumsFile has no checksum of $Name; use the SHA256SUMS of the same release"
}

function Assert-Sum([string] $Path, [string] $Want) {
    $have = (Get-FileHash -LiteralPath $Path -Algorithm SHA256).Hash
    if ($have -ne $Want) {
        throw "$Path has the checksum $have, want $Want; do not use it, and download it again"
    }
}

$temporary = Join-Path ([IO.Path]::GetTempPath()) ('silo-' + [Guid]::NewGuid())
New-Item -ItemType Directory -Path $temporary | Out-Null
try {
    if ($PSCmdlet.ParameterSetName -eq 'Archive') {
        $Archive = (Resolve-Path -LiteralPath $Archive).ProviderPath
        $sums = Join-Path (Split-Path -Parent $Archive) 'SHA256SUMS'
    } else {
        [Net.ServicePointManager]::SecurityProtocol = [Net.ServicePointManager]::SecurityProtocol -bor [Net.SecurityProtocolType]::Tls12
        if ($Version -eq 'latest') {
            $Version = Get-LatestVersion
        }
        $name = 'siloshim_{0}_windows_{1}.zip' -f $Version, (Get-Architecture)
        $Archive = Join-Path $temporary $name
        $sums = Join-Path $temporary 'SHA256SUMS'
        Invoke-WebRequest -UseBasicParsing -Uri "$project/releases/download/$Version/$name" -OutFile $Archive
        if (-not $Sha256) {
            Invoke-WebRequest -UseBasicParsing -Uri "$project/releases/download/$Version/SHA256SUMS" -OutFile $sums
        }
    }
    if (-not $Sha256) {
        $Sha256 = Get-ListedSum $sums (Split-Path -Leaf $Archive)
    }
    Assert-Sum $Archive $Sha256

    $fresh = Join-Path $temporary 'files'
    Expand-Archive -LiteralPath $Archive -DestinationPath $fresh
    if (-not $PSCmdlet.ShouldProcess($Destination, 'install silo')) {
        return
    }
    New-Item -ItemType Directory -Force -Path $Destination | Out-Null
    # The executable of a running process can be renamed and not be replaced.
    foreach ($program in Get-ChildItem -LiteralPath $Destination -Filter '*.exe') {
        Move-Item -LiteralPath $program.FullName -Destination "$($program.FullName).old" -Force
    }
    Copy-Item -Path (Join-Path $fresh '*') -Destination $Destination -Recurse -Force
    if (-not $SkipShim) {
        & (Join-Path $Destination 'silo.exe') install @InstallArguments
        if ($LASTEXITCODE -ne 0) {
            throw "silo install ended with exit code $LASTEXITCODE; see its message above"
        }
    }
} finally {
    Remove-Item -LiteralPath $temporary -Recurse -Force
}
