"""About the program and the machine: versions, licences of all parts, bug reports that name nobody."""
