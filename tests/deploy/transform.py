"""SAM's transform of a template, in the environment of the linters: `python transform.py TEMPLATE PARAMETERS`."""

import json
import os
import sys
from pathlib import Path

from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator
from samtranslator.yaml_helper import yaml_parse

os.environ["AWS_DEFAULT_REGION"] = "eu-central-1"
template = yaml_parse(Path(sys.argv[1]).read_text(encoding="utf-8"))
json.dump(Translator({}, Parser()).translate(template, json.loads(sys.argv[2])), sys.stdout)
