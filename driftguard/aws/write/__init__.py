"""Gateways that change something.  Only remediation and the notifiers import from here.

They are made with ``place.gateway(SsmWrite)``, so that a place by itself can only read.
"""
