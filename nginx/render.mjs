import { readFileSync } from 'node:fs';
import { userInfo } from 'node:os';

const TEMPLATE = new URL('./nginx.conf.template', import.meta.url);

/** DEFAULTS are the values of all variables that need not differ from one installation to the next. */
const DEFAULTS = {
  NGINX_LISTEN: 'listen 8080;',
  NGINX_ACCESS_LOG: '/dev/stdout',
  NGINX_WEB_ROOT: '/usr/share/tidemark/web',
  NGINX_SERVER_INCLUDE: '/etc/nginx/tidemark.d/*.conf',
  NGINX_REAL_IP: '',
  NGINX_METRICS_ALLOW: '',
  NGINX_CLIENT_TIMEOUT: '10s',
  NGINX_ANSWER_TIMEOUT: '60s',
  NGINX_RATE: '500r/s',
  NGINX_BURST: '1000',
  NGINX_CONNECTIONS: '2000',
};

/** upstreamServers writes instances (`host:port`) as the NGINX_UPSTREAM of the template. */
export function upstreamServers(instances) {
  return instances.map((instance) => `server ${instance} max_fails=1 fail_timeout=5s;`).join(' ');
}

/**
 * renderNginx fills the template in. `values` are its variables by name; NGINX_RUN_DIR (a folder that nginx may write to) and
 * NGINX_UPSTREAM must be among them. A name that the template does not know, or a value it lacks, is an error: nginx
 * would take either in silence.
 */
export function renderNginx(values, template = readFileSync(TEMPLATE, 'utf8')) {
  // Started by root, nginx gives its workers to another user, who cannot read what root keeps to itself.
  const user = process.getuid?.() === 0 ? `user ${userInfo().username};` : '';
  const all = { NGINX_USER: user, ...DEFAULTS, ...values };
  const names = new Set([...template.matchAll(/\$\{(NGINX_[A-Z_]+)\}/g)].map(([, name]) => name));
  const strange = Object.keys(all).filter((name) => !names.has(name));
  if (strange.length > 0) throw new Error(`the template of nginx has no ${strange.join(', ')}`);
  return template.replaceAll(/\$\{(NGINX_[A-Z_]+)\}/g, (_match, name) => {
    if (all[name] === undefined) throw new Error(`the template of nginx needs ${name}`);
    return all[name];
  });
}
