/** upstreamServers writes instances (`host:port`) as the NGINX_UPSTREAM of the template. */
export function upstreamServers(instances: readonly string[]): string;

/** renderNginx fills the template in; it throws where a value is missing or not of the template. */
export function renderNginx(values: Readonly<Record<string, string>>, template?: string): string;
