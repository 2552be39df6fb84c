export { openChannel } from './channels/open-channel.js';
