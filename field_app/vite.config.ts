import react from "@vitejs/plugin-react"
import { defineConfig } from "vite"
import { VitePWA } from "vite-plugin-pwa"

// Django serves built/ at the root of the site, so that what lies in built/app/ is at /app/.
export default defineConfig({
  base: "/app/",
  build: { outDir: "built/app", emptyOutDir: true, chunkSizeWarningLimit: 700 },
  server: { proxy: { "/api": "http://127.0.0.1:8000" } },
  plugins: [
    react(),
    VitePWA({
      // A new version takes over when the driver says so, never in the middle of a sale.
      registerType: "prompt",
      injectRegister: null,
      manifest: {
        name: "HSH LPG field app",
        short_name: "HSH LPG",
        description: "Load, sell and count cylinders, also where there is no network.",
        lang: "en",
        display: "standalone",
        start_url: "/app/",
        scope: "/app/",
        theme_color: "#12355b",
        background_color: "#ffffff",
        icons: [
          { src: "icon-192.png", sizes: "192x192", type: "image/png" },
          { src: "icon-512.png", sizes: "512x512", type: "image/png" },
          { src: "icon-512.png", sizes: "512x512", type: "image/png", purpose: "maskable" },
        ],
      },
      workbox: {
        globPatterns: ["**/*.{js,css,html,svg,png}"],
        navigateFallback: "/app/index.html",
        sourcemap: false,
      },
    }),
  ],
})
