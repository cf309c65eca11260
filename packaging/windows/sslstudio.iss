; The installer for Windows, made by Inno Setup 6: iscc /DVersion=0.3.0 packaging\windows\sslstudio.iss
; For one user, without an administrator. What people made (runs, projects, labels) lies in their documents and is never
; touched; the GPU part belongs to the program and goes with it.

#ifndef Version
  #error Say the version: iscc /DVersion=0.3.0 sslstudio.iss
#endif

[Setup]
; The same for all versions for ever: it is how Windows knows an upgrade.
AppId={{6F0B7D5E-2B0C-4C55-9C39-3B3F7F6D3A21}
AppName=SSL Studio
AppVersion={#Version}
AppVerName=SSL Studio {#Version}
AppPublisher=SSL Studio
DefaultDirName={localappdata}\Programs\SSL Studio
DefaultGroupName=SSL Studio
DisableProgramGroupPage=yes
PrivilegesRequired=lowest
ArchitecturesAllowed=x64compatible
ArchitecturesInstallIn64BitMode=x64compatible
MinVersion=10.0.17763
OutputDir=..\dist
OutputBaseFilename=SSLStudio-{#Version}-windows-x64-setup
Compression=lzma2/max
SolidCompression=yes
LZMAUseSeparateProcess=yes
WizardStyle=modern
LicenseFile=..\..\LICENSE
UninstallDisplayIcon={app}\SSLStudio.exe
UninstallDisplayName=SSL Studio
CloseApplications=yes
RestartApplications=no
ChangesAssociations=yes
#ifdef SignTool
SignTool={#SignTool}
SignedUninstaller=yes
#endif

[Languages]
Name: "en"; MessagesFile: "compiler:Default.isl"
Name: "de"; MessagesFile: "compiler:Languages\German.isl"

[CustomMessages]
en.OpenWith=Open in SSL Studio
de.OpenWith=In SSL Studio öffnen
en.Association=Offer SSL Studio in the menu of folders and projects
de.Association=SSL Studio im Menü von Ordnern und Projekten anbieten
en.DesktopIcon=A shortcut on the desktop
de.DesktopIcon=Eine Verknüpfung auf dem Desktop

[Tasks]
Name: "association"; Description: "{cm:Association}"
Name: "desktopicon"; Description: "{cm:DesktopIcon}"; Flags: unchecked

[InstallDelete]
; Modules of an earlier version must not stay beside those of this one.
Type: filesandordirs; Name: "{app}\_internal"

[Files]
Source: "..\dist\SSLStudio\*"; DestDir: "{app}"; Flags: ignoreversion recursesubdirs createallsubdirs

[Icons]
Name: "{group}\SSL Studio"; Filename: "{app}\SSLStudio.exe"; WorkingDir: "{userdocs}"
Name: "{userdesktop}\SSL Studio"; Filename: "{app}\SSLStudio.exe"; Tasks: desktopicon

[Registry]
; Files called sslstudio.toml, whatever other programs do with .toml, and folders of pictures.
Root: HKCU; Subkey: "Software\Classes\SystemFileAssociations\.toml\shell\SSLStudio"; ValueType: string; ValueData: "{cm:OpenWith}"; Flags: uninsdeletekey; Tasks: association
Root: HKCU; Subkey: "Software\Classes\SystemFileAssociations\.toml\shell\SSLStudio"; ValueType: string; ValueName: "AppliesTo"; ValueData: "System.FileName:=""sslstudio.toml"""; Tasks: association
Root: HKCU; Subkey: "Software\Classes\SystemFileAssociations\.toml\shell\SSLStudio\command"; ValueType: string; ValueData: """{app}\SSLStudio.exe"" ""%1"""; Tasks: association
Root: HKCU; Subkey: "Software\Classes\Directory\shell\SSLStudio"; ValueType: string; ValueData: "{cm:OpenWith}"; Flags: uninsdeletekey; Tasks: association
Root: HKCU; Subkey: "Software\Classes\Directory\shell\SSLStudio\command"; ValueType: string; ValueData: """{app}\SSLStudio.exe"" ""%1"""; Tasks: association

[Run]
Filename: "{app}\SSLStudio.exe"; Description: "{cm:LaunchProgram,SSL Studio}"; Flags: nowait postinstall skipifsilent

[UninstallDelete]
Type: filesandordirs; Name: "{localappdata}\SSLStudio\gpu-part"
Type: filesandordirs; Name: "{localappdata}\SSLStudio\Cache"
