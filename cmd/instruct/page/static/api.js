// Requests to the server of this page, and to no other one.

const token = document.querySelector('meta[name="token"]').content;

async function answer(response) {
  if (response.ok) return response.json();
  let message = `the server says ${response.status}`;
  try {
    message = (await response.json()).error.message;
  } catch { /* not of the form that errors have */ }
  throw new Error(message);
}

export const get = async (path) => answer(await fetch(path));

export const post = async (path, body = {}) => answer(await fetch(path, {
  method: "POST", headers: { "Content-Type": "application/json", "X-Instruct-Token": token },
  body: JSON.stringify(body),
}));

// chat asks a model and calls piece(text, tokens) as the answer grows. It returns why the answer ended.
export async function chat(path, request, signal, piece) {
  const response = await fetch(path, {
    method: "POST", signal, headers: { "Content-Type": "application/json", "X-Instruct-Token": token },
    body: JSON.stringify({ ...request, stream: true, logprobs: true, top_logprobs: 5 }),
  });
  if (!response.ok) await answer(response);
  let finish = "";
  for await (const data of events(response.body)) {
    if (data === "[DONE]") break;
    const event = JSON.parse(data);
    if (event.error) throw new Error(event.error.message);
    for (const choice of event.choices) {
      piece(choice.delta?.content ?? "", choice.logprobs?.content ?? []);
      finish = choice.finish_reason ?? finish;
    }
  }
  return finish;
}

// events gives the data of a stream's events.
async function* events(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    const parts = (rest + value).split("\n\n");
    rest = parts.pop();
    for (const part of parts) if (part.startsWith("data: ")) yield part.slice(6);
  }
}
