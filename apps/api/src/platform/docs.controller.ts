import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { Controller, Get, Header, Inject, Param, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { errorPage } from './openapi/error-page.js';
import { openApi } from './openapi/openapi.js';
import { HttpProblem } from './problem.js';

/** DocsDeps are what the description of the API needs to know. */
export class DocsDeps {
  constructor(readonly version: string) {}
}

/** The same words as nginx's, where it stands in front without a dashboard. */
const WELCOME = { service: 'tidemark', docs: '/docs', openapi: '/openapi.json', health: '/api/v1/health' };

/** The files of Swagger UI that the page uses, so that no other file of the package can be asked for. */
const ASSETS: Readonly<Record<string, string>> = {
  'swagger-ui.css': 'text/css; charset=utf-8',
  'swagger-ui-bundle.js': 'text/javascript; charset=utf-8',
  'favicon-32x32.png': 'image/png',
};

const PAGE = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Tidemark API</title>
<link rel="icon" href="/docs/favicon-32x32.png">
<link rel="stylesheet" href="/docs/swagger-ui.css">
</head>
<body>
<div id="reference"></div>
<script src="/docs/swagger-ui-bundle.js"></script>
<script src="/docs/start.js"></script>
</body>
</html>
`;

const START = `SwaggerUIBundle({ url: '/openapi.json', dom_id: '#reference', deepLinking: true, tryItOutEnabled: true, validatorUrl: null });\n`;
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; frame-ancestors 'none'";

/** DocsController serves the description of the API: for machines, and as a page that needs no other host. */
@Controller()
export class DocsController {
  constructor(@Inject(DocsDeps) private readonly deps: DocsDeps) {}

  /** A person who opens the address that the server printed is led to the page, a program is told where things are. */
  @Get()
  welcome(@Req() request: FastifyRequest, @Res() reply: FastifyReply): void {
    void reply.header('vary', 'Accept');
    if (/\btext\/html\b/i.test(request.headers.accept ?? '')) return void reply.redirect('/docs', 302);
    void reply.type('application/json; charset=utf-8').send(JSON.stringify(WELCOME));
  }

  @Get('openapi.json')
  document() {
    return openApi(this.deps.version);
  }

  @Get('docs')
  @Header('content-type', 'text/html; charset=utf-8')
  @Header('content-security-policy', POLICY)
  page(): string {
    return PAGE;
  }

  @Get('docs/errors')
  @Header('content-type', 'text/html; charset=utf-8')
  @Header('content-security-policy', POLICY)
  errors(): string {
    return errorPage();
  }

  @Get('docs/:file')
  async asset(@Param('file') file: string, @Res() reply: FastifyReply): Promise<void> {
    if (file === 'start.js') return void reply.type('text/javascript; charset=utf-8').send(START);
    const type = Object.hasOwn(ASSETS, file) ? ASSETS[file] : undefined;
    if (type === undefined) throw new HttpProblem('not_found', 'there is no such page');
    const folder = dirname(createRequire(import.meta.url).resolve('swagger-ui-dist/package.json'));
    void reply
      .type(type)
      .header('cache-control', 'public, max-age=3600')
      .send(await readFile(join(folder, file)));
  }
}
