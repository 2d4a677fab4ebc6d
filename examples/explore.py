"""Where does the tuned model gain? Run `python examples/explore.py` in the folder of a clone with a finished run.

The embedded questions have no tags, so their clusters give the field. If yours have tags such as `topic: optics`, use by="topic".
"""

import plumbline

FIELDS = {
    "volt|charge|magnet|electric|current|field": "electricity",
    "wave|image": "waves",
    "heat": "heat",
    "-in-": "units",
    "": "mechanics",
}
run = plumbline.load_run("workspace")
first, second = run.pairs[0]
names = run.questions.query("kind == 'numeric'")["cluster"]
topics = names.map(lambda name: next(field for words, field in FIELDS.items() if any(word in name for word in words.split("|"))))
slices = run.compare(first, second, by=topics).sort_values("delta")
print(slices[["n", "num_units", "delta", "low", "high", "p_holm", "finding"]].round(3).to_string())
bars = slices.set_axis([f"{name} (n = {one['n']}): {one['finding']}" for name, one in slices.iterrows()])
spans = {"xerr": [bars["delta"] - bars["low"], bars["high"] - bars["delta"]]}
bars.plot.barh(y="delta", **spans, xlabel=f"{second} - {first}", legend=False).figure.savefig("topics.png", bbox_inches="tight")
