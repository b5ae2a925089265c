"""JUnit XML as a document of cases: what the report and `driftguard check` both write.

The form is the one that Jenkins and GitLab read (https://github.com/testmoapp/junitxml), within what
Jenkins' published schema allows (junit-10.xsd of its xUnit plugin).
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from xml.etree import ElementTree

# What XML 1.0 cannot hold.
_ILLEGAL = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One thing that was looked at; at most one of ``failure``, ``error`` and ``skipped`` is set."""

    suite: str
    name: str
    classname: str = ""
    """The suite when empty."""
    failure: str = ""
    """The first line is the message, the whole is the text."""
    kind: str = ""
    """The type of the failure."""
    error: str = ""
    skipped: str = ""


def document(name: str, cases: Iterable[Case], at: datetime | None = None) -> str:
    """``cases`` by suite, in the order in which the suites first appear."""
    suites: dict[str, list[Case]] = defaultdict(list)
    for case in cases:
        suites[case.suite].append(case)
    root = ElementTree.Element("testsuites", name=name)
    _count(root, [case for listed in suites.values() for case in listed])
    for title, listed in suites.items():
        suite = ElementTree.SubElement(root, "testsuite", name=_clean(title))
        if at is not None:
            suite.set("timestamp", f"{at:%Y-%m-%dT%H:%M:%S}")
        _count(suite, listed)
        # The schema knows this number of a suite, and not of all suites.
        suite.set("skipped", str(sum(bool(case.skipped) for case in listed)))
        for case in listed:
            _write(suite, case)
    ElementTree.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ElementTree.tostring(root, encoding="unicode") + "\n"


def _count(element: ElementTree.Element, cases: Sequence[Case]) -> None:
    element.set("tests", str(len(cases)))
    element.set("failures", str(sum(bool(case.failure) for case in cases)))
    element.set("errors", str(sum(bool(case.error) for case in cases)))
    element.set("time", "0")


def _write(suite: ElementTree.Element, case: Case) -> None:
    classname = _clean(case.classname or case.suite)
    element = ElementTree.SubElement(suite, "testcase", name=_clean(case.name), classname=classname, time="0")
    if case.failure:
        first = _clean(case.failure.split("\n", 1)[0])
        failure = ElementTree.SubElement(element, "failure", message=first, type=case.kind)
        failure.text = _clean(case.failure)
    elif case.error:
        ElementTree.SubElement(element, "error", message=_clean(case.error))
    elif case.skipped:
        ElementTree.SubElement(element, "skipped", message=_clean(case.skipped))


def _clean(text: str) -> str:
    return _ILLEGAL.sub("\ufffd", text)
