"""SAM's transform of templates, in the environment of the linters: pairs of template and parameters as JSON lines."""

import json
import os
import sys

from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator
from samtranslator.yaml_helper import yaml_parse

os.environ["AWS_DEFAULT_REGION"] = "eu-central-1"
for line in sys.stdin:
    template, parameters = json.loads(line)
    sys.stdout.write(json.dumps(Translator({}, Parser()).translate(yaml_parse(template), parameters)) + "\n")
    sys.stdout.flush()
