"""Declared state: templates, deployed stacks, Terraform and recorded baselines into declared resources.

``template`` reads, ``resolve`` replaces functions, ``deployment`` and ``stacks`` do both for what is
deployed, ``siblings`` and ``ownership`` add what one template alone cannot say.
"""
