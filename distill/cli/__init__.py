"""The command line: `distill train / info / encode / decode / reconstruct / demo / cache`."""
