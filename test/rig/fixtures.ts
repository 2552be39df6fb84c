/** model is a registration with what a test does not care about filled in. */
export function model(id: string, more: object = {}): object {
  return { id, name: `Model ${id}`, model_type: 'llm', version: '1', environment: 'prod', ...more };
}

/** inference is a metric with what a test does not care about filled in. */
export function inference(modelId: string, requestId: string, more: object = {}): object {
  return { model_id: modelId, model_type: 'llm', request_id: requestId, latency: 100, ...more };
}
