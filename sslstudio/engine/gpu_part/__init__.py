"""The GPU part: a PyTorch for the NVIDIA card at hand, fetched only when a person asks for it, into its own folder.

`place` says which one is used, and must be asked before torch is imported; `card` and `plan` say which one fits;
`fetch` brings it, tries it, switches it on or takes it away again.
"""
