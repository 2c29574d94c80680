// Answers of the scripted kernel about exports and the notes of the dataset.
import { type Handlers, reply } from "./fake-answers.ts";

/** `exists`: what is at the path of an export. */
export function exportHandlers(exists: () => "file" | null): Handlers {
  return {
    "dataset.info": () => reply({ path: "/data/shapes.penstock", rows: [{ name: "source.format", value: "coco" }] }),
    "export.formats": () => {
      const rest = { options: [], why_not: null, needs_images: false };
      const voc = { ...rest, name: "voc", title: "Pascal VOC", places: { folder: "shapes-voc" }, images: [] };
      const coco = { file: "shapes.json", folder: "shapes-coco" };
      return reply({
        folder: "/home",
        formats: [
          { ...rest, name: "coco", title: "COCO", places: coco, images: ["copy"] },
          { ...voc, why_not: "no boxes" },
          { ...voc, name: "folder", title: "Folder for each class", images: ["copy"], needs_images: true },
        ],
      });
    },
    "export.annotations": ({ path, overwrite }) => {
      if (path === "bad") throw { code: "ExportError", message: "it cannot be written", hint: "try another" };
      const report = { num_samples: 3, num_objects: 5, issues: ["2 crowds were left out"], num_issues: 1 };
      const there = overwrite ? null : exists();
      return reply({ path: `/home/${path}`, exists: there, report: there === null ? report : null });
    },
  };
}
