import type { Config } from '../config.js';

/** banner is what a person sees when the platform is ready: where it is, and a line to try. */
export function banner(url: string, config: Config, isTerminal: boolean): string {
  const bold = (text: string) => (isTerminal ? `\u001b[1m${text}\u001b[0m` : text);
  return `
  ${bold('Tidemark is ready')} at ${bold(url)}

    API reference   ${url}/docs
    health          ${url}/api/v1/health
    own metrics     ${url}/metrics
    data            ${config.dataDir}

  Try: register a model, send it a slow inference, and see the alert

    curl -s ${url}/api/v1/models -H 'content-type: application/json' -d '{"id":"my-model","name":"My model","model_type":"llm","version":"1","environment":"dev","thresholds":{"latency":500}}'
    curl -s ${url}/api/v1/metrics/inference -H 'content-type: application/json' -d '{"model_id":"my-model","model_type":"llm","request_id":"r1","latency":1500}'
    curl -s ${url}/api/v1/alerts

  Ctrl-C stops it.

`;
}
