/** Lists and texts of property tests get as long as they may: by default none had more than ten elements. */
import fc from 'fast-check';

fc.configureGlobal({ defaultSizeToMaxWhenMaxSpecified: true });
