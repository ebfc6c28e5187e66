/**
 * The countries of each continent by their codes: every code of ISO 3166-1, xk, which Kosovo uses though it has none, and an, the Netherlands Antilles
 * until 2010, which whois records still have. Which continent a country
 * counts to is what GeoNames says (https://download.geonames.org/export/dump/countryInfo.txt), since country databases follow it: Cyprus and Russia in Europe,
 * Turkey and the Caucasus in Asia, Egypt in Africa; but Timor-Leste is in Asia, as for the United Nations (M49).
 * Words and not the codes of continents: AS, SA, NA, EU and AF are American Samoa, Saudi Arabia, Namibia, the European Union and Afghanistan.
 */
const CONTINENTS = {
  africa:
    'ao bf bi bj bw cd cf cg ci cm cv dj dz eg eh er et ga gh gm gn gq gw ke km lr ls ly ma mg ml mr mu mw mz na ne ng re rw sc sd sh sl sn so ss st sz td tg tn tz ug yt za zm zw',
  antarctica: 'aq bv gs hm tf',
  asia: 'ae af am az bd bh bn bt cc cn cx ge hk id il in io iq ir jo jp kg kh kp kr kw kz la lb lk mm mn mo mv my np om ph pk ps qa sa sg sy th tj tl tm tr tw uz vn ye',
  europe:
    'ad al at ax ba be bg by ch cy cz de dk ee es fi fo fr gb gg gi gr hr hu ie im is it je li lt lu lv mc md me mk mt nl no pl pt ro rs ru se si sj sk sm ua va xk',
  'north-america':
    'ag ai an aw bb bl bm bq bs bz ca cr cu cw dm do gd gl gp gt hn ht jm kn ky lc mf mq ms mx ni pa pm pr sv sx tc tt us vc vg vi',
  oceania: 'as au ck fj fm gu ki mh mp nc nf nr nu nz pf pg pn pw sb tk to tv um vu wf ws',
  'south-america': 'ar bo br cl co ec fk gf gy pe py sr uy ve',
} as const;

type Continent = keyof typeof CONTINENTS;
/** Words that stand for all countries of a continent. */
export const CONTINENT_NAMES: readonly string[] = Object.keys(CONTINENTS);

/** A country that a configuration means. */
export interface NamedCountry {
  /** lower case */
  readonly code: string;
  /** itself, or as part of its continent: then nobody says that a database must know it */
  readonly named: 'itself' | 'continent';
}

/** The countries that codes and continents stand for, each once, in their order. */
export function countriesOf(words: readonly string[]): NamedCountry[] {
  const found = new Map<string, NamedCountry>();
  for (const word of words) {
    const codes = codesOf(word);
    for (const code of codes ?? [word]) {
      if (codes === undefined) found.set(code, { code, named: 'itself' });
      else if (!found.has(code)) found.set(code, { code, named: 'continent' });
    }
  }
  return [...found.values()];
}

function codesOf(word: string): readonly string[] | undefined {
  return Object.hasOwn(CONTINENTS, word) ? CONTINENTS[word as Continent].split(' ') : undefined;
}
