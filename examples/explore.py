"""Where does the tuned model gain? Run `python examples/explore.py` in the folder of a clone with a finished run."""

import plumbline

run = plumbline.load_run("workspace")
first, second = run.pairs[0]
topics = run.questions["cluster"].str.extract(r"[-/]([a-z]+)", expand=False).where(run.questions["kind"] == "numeric")
slices = run.compare(first, second, by=topics).sort_values("delta")
print(slices[["n", "delta", "low", "high", "p_holm", "finding"]].round(3))
spans = [slices["delta"] - slices["low"], slices["high"] - slices["delta"]]
figure = slices.plot.barh(y="delta", xerr=spans, xlabel=f"{second} - {first}", legend=False).figure
figure.savefig("topics.png", bbox_inches="tight")
