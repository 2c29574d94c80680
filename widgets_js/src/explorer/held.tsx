import type { Session } from "../session/session.ts";
import { lazy } from "../ui/lazy.tsx";
import { heldKey } from "./held-key.ts";

const Banner = lazy(() => import("./held-banner.tsx").then((part) => part.HeldBanner), "penstock-held");

/** A line above everything while another process edits, until one chooses to read only. */
export function Held({ session }: { session: Session }) {
  const { store } = session;
  const holder = store.dataset.value?.holder ?? null;
  if (holder === null || !store.isLive.value || store.heldSeen.value === heldKey(holder)) return null;
  return <Banner session={session} holder={holder} />;
}
