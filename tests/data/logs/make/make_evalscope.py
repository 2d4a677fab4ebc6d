"""Make the logs in ../evalscope: HF_HUB_OFFLINE=1 PYTHON make_evalscope.py, in an environment with evalscope 1.14.1."""

import csv
import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

from evalscope import TaskConfig, run_task
from questions import CHOICES, NUMBERS, said


class Server(BaseHTTPRequestHandler):
    """Answers as the model that is asked for, as a server of OpenAI's API does."""

    def log_message(self, format, *args):
        pass

    def do_POST(self):
        asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
        text = said(asked["model"], json.dumps(asked["messages"], ensure_ascii=False)) or ""
        message = {"role": "assistant", "content": f"答案：{text}" if text in list("ABCD") else text}
        content = {
            "id": "x",
            "object": "chat.completion",
            "created": 0,
            "model": asked["model"],
            "choices": [{"index": 0, "finish_reason": "stop", "message": message}],
            "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
        }
        body = json.dumps(content).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


Path("choices").mkdir(exist_ok=True)
Path("numbers").mkdir(exist_ok=True)
with Path("choices/physics_val.csv").open("w") as stream:
    rows = csv.writer(stream)
    rows.writerow(["id", "question", "A", "B", "C", "D", "answer"])
    rows.writerows([place, question, *texts, target] for place, (question, texts, target, _) in enumerate(CHOICES))
Path("numbers/physics.jsonl").write_text("".join(json.dumps({"query": q, "response": t}) + "\n" for q, t, _ in NUMBERS))
server = HTTPServer(("127.0.0.1", 0), Server)
threading.Thread(target=server.serve_forever, daemon=True).start()
for model in ("first", "second"):
    run_task(
        TaskConfig(
            model=model,
            api_url=f"http://127.0.0.1:{server.server_port}/v1",
            api_key="none",
            eval_type="openai_api",
            datasets=["general_mcq", "general_qa"],
            work_dir=f"../evalscope/{model}",
            no_timestamp=True,
            eval_batch_size=1,
            generation_config={"stream": False},
            dataset_args={
                "general_mcq": {"local_path": "choices", "subset_list": ["physics"]},
                "general_qa": {"local_path": "numbers", "subset_list": ["physics"], "metric_list": ["Rouge"]},
            },
        )
    )
