"""The command line: train, runs, stop, info, encode, decode, reconstruct, demo, cache, train-prior,
generate.
"""
