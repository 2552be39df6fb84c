import { Controller, Get } from '@nestjs/common';

/** DocsController serves the description of the API. */
@Controller()
export class DocsController {
  @Get('openapi.json')
  document() {
    return {};
  }
}
