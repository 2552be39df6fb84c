import { MODELS, modelTypeOf } from './load/metric-text.js';

/** registerModels registers the models that the load is of, with the default thresholds, so that every point is evaluated. */
export async function registerModels(api: { readonly url: string }): Promise<void> {
  for (const [index, id] of MODELS.entries()) {
    await postJson(`${api.url}/api/v1/models`, {
      id,
      name: id,
      model_type: modelTypeOf(index),
      version: '1',
      environment: 'prod',
    });
  }
}

/** postJson posts a body and answers what came back as JSON; it throws on any answer but 2xx. */
export async function postJson(url: string, body: object): Promise<unknown> {
  const answer = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  return readAnswer(url, answer);
}

/** getJson asks for a page of the API; it throws on any answer but 2xx. */
export async function getJson(url: string): Promise<unknown> {
  return readAnswer(url, await fetch(url));
}

/** getText asks for a page that is no JSON; it throws on any answer but 2xx. */
export async function getText(url: string): Promise<string> {
  return textOf(url, await fetch(url));
}

async function readAnswer(url: string, answer: Response): Promise<unknown> {
  const body: unknown = JSON.parse(await textOf(url, answer));
  return body;
}

async function textOf(url: string, answer: Response): Promise<string> {
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${url} answered ${answer.status}: ${text.slice(0, 500)}`);
  return text;
}
