/** The span: sign of the product, and the quiet picture behind the doors. Decoration, silent for screen readers. */
export function Logo() {
  return (
    <svg class="logo" viewBox="0 0 64 40" aria-hidden="true" focusable="false">
      <path class="logo-span" d="M4 26C16 2 48 2 60 26" />
      <path class="logo-span" d="M2 26h60" />
      <path class="logo-hanger" d="M15 26V13.5M23.5 26V9.3M32 26V8M40.5 26V9.3M49 26V13.5" />
      <path class="logo-water" d="M10 35c6-3.5 12 3.5 18 0s12-3.5 18 0 6 1.5 8 .5" />
    </svg>
  )
}

/** A long bridge over a river between hills. */
export function Landscape() {
  return (
    <svg
      class="landscape"
      viewBox="0 0 1440 360"
      preserveAspectRatio="xMidYMax slice"
      aria-hidden="true"
      focusable="false"
    >
      <circle class="landscape-sun" cx="1090" cy="120" r="62" />
      <path
        class="landscape-far"
        d="M0 210c120-70 210-92 330-40s190 20 300-26 210-40 330 20 230 42 480-34v230H0Z"
      />
      <path
        class="landscape-near"
        d="M0 262c150-52 250-30 350 0l40 98H0ZM1440 236c-130-30-230-8-330 40l-50 84h380Z"
      />
      <path class="landscape-water" d="M0 292h1440v68H0Z" />
      <path class="landscape-bridge" d="M150 262h1140" />
      <path
        class="landscape-bridge"
        d="M240 262c70-150 290-150 360 0M600 262c70-150 290-150 360 0M960 262c50-110 200-110 260 0"
      />
      <path
        class="landscape-hanger"
        d="M300 262v-66M360 262V168M420 262V150M480 262V168M540 262v-66M660 262v-66M720 262V168M780 262V150M840 262V168M900 262v-66M1020 262v-60M1090 262v-82M1160 262v-60"
      />
      <path class="landscape-pier" d="M240 262v44M600 262v44M960 262v44M1220 262v44" />
      <path
        class="landscape-ripple"
        d="M90 318c30-8 60 8 90 0s60-8 90 0M560 330c30-8 60 8 90 0s60-8 90 0M1010 316c30-8 60 8 90 0s60-8 90 0"
      />
    </svg>
  )
}
