import 'reflect-metadata';
import { Body, Controller, Get, Module, Post } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';

/**
 * The least that a server on this framework can do with a metric: Nest and Fastify, of the versions and with the adapter
 * that Tidemark uses, parse the body with their own parser and answer what Tidemark would. Nothing is checked or kept.
 */
@Controller()
class BareController {
  @Get('readyz')
  ready() {
    return { status: 'ready' };
  }

  @Post('api/v1/metrics/inference')
  one(@Body() metric: unknown) {
    return metric === undefined ? null : { status: 'success', message: 'Metric collected successfully' };
  }

  @Post('api/v1/metrics/inference/batch')
  many(@Body() batch: { readonly metrics: readonly unknown[] }) {
    return { accepted: batch.metrics.length, rejected: [] };
  }
}

@Module({ controllers: [BareController] })
class BareModule {}

const app = await NestFactory.create<NestFastifyApplication>(BareModule, new FastifyAdapter(), { logger: false });
await app.listen(0, '127.0.0.1');
process.stdout.write(`${JSON.stringify({ msg: 'tidemark is ready', url: await app.getUrl() })}\n`);
process.on('SIGTERM', () => void app.close().then(() => process.exit()));
