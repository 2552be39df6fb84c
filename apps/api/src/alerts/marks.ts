import { IsOptional, IsString, Length, MaxLength } from 'class-validator';
import { IsCleanText } from '../platform/clean-text.js';

/** Mark is the body that acknowledges or resolves an alert: who, and why. */
export class Mark {
  @IsOptional()
  @IsCleanText()
  @Length(1, 200)
  @IsString()
  by?: string | null;

  @IsOptional()
  @MaxLength(2000)
  @IsString()
  comment?: string | null;
}

/** ResolveById is the older body that names the alert to resolve. */
export class ResolveById {
  @Length(1, 64)
  @IsString()
  alert_id!: string;
}
