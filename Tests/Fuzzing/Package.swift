// swift-tools-version: 6.2
// Fuzz targets of the wire layer. A package of its own, so that no other build has to do with them: scripts/fuzz.

import PackageDescription

let settings: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
]
// `main` is libFuzzer's.
let fuzzed = settings + [.unsafeFlags(["-parse-as-library"])]

let package = Package(
    name: "ModelGatewayFuzzing",
    platforms: [.macOS(.v15)],
    dependencies: [.package(url: "https://github.com/apple/swift-nio", from: "2.101.2")],
    targets: [
        // The library's own sources, by symbolic link.
        .target(name: "GatewayWire", swiftSettings: settings),
        .executableTarget(
            name: "FuzzResponses",
            dependencies: [
                "GatewayWire",
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOEmbedded", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
            ],
            swiftSettings: fuzzed
        ),
        .executableTarget(name: "FuzzJSON", dependencies: ["GatewayWire"], swiftSettings: fuzzed),
        .executableTarget(name: "FuzzEvents", dependencies: ["GatewayWire"], swiftSettings: fuzzed),
    ],
    swiftLanguageModes: [.v6]
)
