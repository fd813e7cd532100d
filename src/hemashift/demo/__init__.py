"""The demonstration: the whole job on real cells, in a few minutes on an ordinary computer.

`hemashift.demo.run.run_demo` does it, and `hemashift demo` is its command.
"""
