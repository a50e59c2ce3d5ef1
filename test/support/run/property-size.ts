/** Lists and texts of property tests may reach their maximum length; the default of fast-check is ten elements. */
import fc from 'fast-check';

fc.configureGlobal({ defaultSizeToMaxWhenMaxSpecified: true });
