/**
 * Land borders, bridges and tunnels that people cross every day among them: each pair once, by lower-case ISO 3166-1 codes. Written down by hand from the
 * map; China's borders with Hong Kong and Macau are ones for travellers. Distances between centres would tell nothing about who lives near a border.
 */
const BORDERS = `
ad: es fr
ae: om sa
af: cn ir pk tj tm uz
al: gr me mk xk
am: az ge ir tr
ao: cd cg na zm
ar: bo br cl py uy
at: ch cz de hu it li si sk
az: ge ir ru tr
ba: hr me rs
bd: in mm
be: de fr lu nl
bf: bj ci gh ml ne tg
bg: gr mk ro rs tr
bh: sa
bi: cd rw tz
bj: ne ng tg
bn: my
bo: br cl pe py
br: co gf gy pe py sr uy ve
bt: cn in
bw: na za zm zw
by: lt lv pl ru ua
bz: gt mx
ca: us
cd: cf cg rw ss tz ug zm
cf: cg cm sd ss td
cg: cm ga
ch: de fr it li
ci: gh gn lr ml
cl: pe
cm: ga gq ng td
cn: hk in kg kp kz la mm mn mo np pk ru tj vn
co: ec pa pe ve
cr: ni pa
cz: de pl sk
de: dk fr lu nl pl
dj: er et so
dk: se
do: ht
dz: eh ly ma ml mr ne tn
ec: pe
ee: lv ru
eg: il ly ps sd
eh: ma mr
er: et sd
es: fr gi ma pt
et: ke sd so ss
fi: no ru se
fr: gb it lu mc
ga: gq
gb: gi ie
ge: ru tr
gf: sr
gh: tg
gm: sn
gn: gw lr ml sl sn
gr: mk tr
gt: hn mx sv
gw: sn
gy: sr ve
hk: mo
hn: ni sv
hr: hu me rs si
hu: ro rs si sk ua
id: my pg tl
il: jo lb ps sy
in: mm np pk
iq: ir jo kw sa sy tr
ir: pk tm tr
it: si sm va
jo: ps sa sy
ke: so ss tz ug
kg: kz tj uz
kh: la th vn
kp: kr ru
kw: sa
kz: ru tm uz
la: mm th vn
lb: sy
lr: sl
ls: za
lt: lv pl ru
lv: ru
ly: ne sd td tn
md: ro ua
me: rs xk
mk: rs xk
ml: mr ne sn
mm: th
mn: ru
mr: sn
mw: mz tz zm
mx: us
my: sg th
mz: sz tz za zm zw
na: za zm
ne: ng td
ng: td
no: ru se
om: sa ye
pl: ru sk ua
qa: sa
ro: rs ua
rs: xk
ru: ua
rw: tz ug
sa: ye
sd: ss td
sk: ua
ss: ug
sy: tr
sz: za
tj: uz
tm: uz
tz: ug zm
za: zw
zm: zw
`;

const NEIGHBOURS: ReadonlySet<string> = new Set(
  BORDERS.trim()
    .split('\n')
    .flatMap((line) => {
      const [country = '', ...others] = line.split(/:? /);
      return others.flatMap((other) => [`${country} ${other}`, `${other} ${country}`]);
    }),
);

/** Whether one may live in one country and be in the other any day. */
export function areNeighbours(one: string, other: string): boolean {
  return NEIGHBOURS.has(`${one} ${other}`);
}
