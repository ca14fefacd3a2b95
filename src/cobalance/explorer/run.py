"""A run that tells its progress line by line, as JSON: ``python -m cobalance.explorer.run STUDY OUTPUT``."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from cobalance.vocabulary.errors import CobalanceError


def main(study: Path, output: Path) -> int:
    """Run ``study`` into ``output``; each stage, the end and any problems are lines on standard output."""
    from cobalance.study.pipeline import STAGES, run_study
    from cobalance.study.results import replaced

    names = list(STAGES)

    def step(stage: str, done: float) -> None:
        part = (names.index(stage) + done) / len(names) if stage in names else 0.0
        words = {str(language): text for language, text in STAGES.get(stage, {}).items()}
        tell({"stage": stage, "part": round(part, 3), **words})

    try:
        results = run_study(study, step)
        with replaced(output) as folder:
            step("results", 0)
            results.save(folder)
            _report(results, folder, step)
    except CobalanceError as error:
        tell({"end": "refused", "problems": [problem.as_dict() for problem in error.problems]})
        return 1
    tell({"end": "done"})
    return 0


def tell(event: dict[str, Any]) -> None:
    print(json.dumps(event, ensure_ascii=False), flush=True)


def _report(results: Any, folder: Path, step: Any) -> None:
    from cobalance.explorer.page import write_explorer
    from cobalance.report import write_report

    step("report", 0)
    write_report(results, folder, results.study.languages, lambda done: step("report", done))
    write_explorer(results, folder / "explorer.html")


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2])))
