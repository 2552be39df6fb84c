export { isFullLength, rounds } from '@tidemark/servers';
