#!/bin/sh
# Put the program that lies beside this script into your menu, with its icon and its kind of file; nothing outside of
# your own folder is touched and no administrator is asked.
#
#   ./add-to-menu.sh            again after the folder was moved
#   ./add-to-menu.sh --remove   before the folder is deleted
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd -P)
data=${XDG_DATA_HOME:-$HOME/.local/share}
entry=$data/applications/sslstudio.desktop
kind=$data/mime/packages/sslstudio.xml
icon=$data/icons/hicolor/256x256/apps/sslstudio.png

# Systems keep lists of what is there; those that do not have these programs read the folders themselves.
refresh() {
    if command -v update-mime-database >/dev/null && [ -d "$data/mime" ]; then
        update-mime-database "$data/mime"
    fi
    if command -v update-desktop-database >/dev/null && [ -d "$data/applications" ]; then
        update-desktop-database "$data/applications"
    fi
}

case ${1:-} in
--remove)
    rm -f -- "$entry" "$kind" "$icon"
    refresh
    echo "SSL Studio is no longer in your menu. Its folder can be deleted."
    ;;
'')
    case $here in
    *[\"\`\$\\\%\&\|]* | *'
'*)
        echo "The path of this folder has a sign that menus cannot start a program by: $here. Move it elsewhere." >&2
        exit 2
        ;;
    *' '*) start="\"$here/SSLStudio\"" ;;
    *) start=$here/SSLStudio ;;
    esac
    mkdir -p -- "$(dirname -- "$entry")" "$(dirname -- "$kind")" "$(dirname -- "$icon")"
    sed -e "s|^Exec=.*|Exec=$start %f|" -e "s|^TryExec=.*|TryExec=$here/SSLStudio|" "$here/share/sslstudio.desktop" >"$entry"
    cp -- "$here/share/sslstudio.xml" "$kind"
    cp -- "$here/share/sslstudio.png" "$icon"
    refresh
    echo "SSL Studio is in your menu, started from $here."
    ;;
*)
    echo "Usage: add-to-menu.sh [--remove]" >&2
    exit 2
    ;;
esac
