// swift-tools-version: 6.2

import PackageDescription

// Warnings are errors where this package is developed, and nowhere else: a new compiler with new warnings must not keep
// anybody from building it.
let warningsAreErrors = Context.environment["MODELGATEWAY_WARNINGS_AS_ERRORS"] == "1"

let settings: [SwiftSetting] =
    [
        .enableUpcomingFeature("ExistentialAny"),
        .enableUpcomingFeature("MemberImportVisibility"),
        .enableUpcomingFeature("InternalImportsByDefault"),
        .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
        .enableUpcomingFeature("InferIsolatedConformances"),
    ] + (warningsAreErrors ? [.treatAllWarnings(as: .error)] : [])

let package = Package(
    name: "ModelGateway",
    platforms: [.macOS(.v15)],
    products: [
        .library(name: "ModelGateway", targets: ["ModelGateway"]),
        .library(name: "ModelGatewayLifecycle", targets: ["ModelGatewayLifecycle"]),
        .library(name: "ModelGatewayLlama", targets: ["ModelGatewayLlama"]),
        .library(name: "ModelGatewayServer", targets: ["ModelGatewayServer"]),
        .library(name: "ModelGatewayTelemetry", targets: ["ModelGatewayTelemetry"]),
        .library(name: "ModelGatewayTesting", targets: ["ModelGatewayTesting"]),
        .library(name: "ModelGatewayTracing", targets: ["ModelGatewayTracing"]),
        .executable(name: "gateway", targets: ["gateway"]),
    ],
    traits: [
        .trait(
            name: "LlamaCpp",
            description: "Build the local backend; needs libllama and its headers, found through pkg-config."
        ),
        .trait(
            name: "YAML",
            description: "Read configurations in YAML. Without it, ModelGateway links no Foundation."
        ),
        .default(enabledTraits: ["YAML"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
        .package(url: "https://github.com/apple/swift-distributed-tracing", from: "1.7.3"),
        .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0", traits: []),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-metrics", from: "2.13.0"),
        .package(url: "https://github.com/apple/swift-asn1", from: "1.7.4"),
        .package(url: "https://github.com/apple/swift-certificates", from: "1.21.1"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-extras", from: "1.35.2"),
        .package(url: "https://github.com/apple/swift-nio-http2", from: "1.46.0"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
        .package(url: "https://github.com/apple/swift-system", from: "1.8.1"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1", traits: []),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
    ],
    targets: [
        .systemLibrary(
            name: "CCurl",
            pkgConfig: "libcurl",
            providers: [.apt(["libcurl4-openssl-dev"]), .brew(["curl"])]
        ),
        .systemLibrary(
            name: "CLlama",
            pkgConfig: "llama"
        ),
        .systemLibrary(name: "CGatewaySystem"),
        .target(
            name: "GatewaySystem",
            dependencies: ["CGatewaySystem", .product(name: "SystemPackage", package: "swift-system")],
            swiftSettings: settings
        ),
        .target(name: "GatewayWire", swiftSettings: settings),
        .target(
            name: "ModelGateway",
            dependencies: [
                "CCurl",
                "GatewaySystem",
                "GatewayWire",
                // The product Metrics brings Foundation.
                .product(name: "CoreMetrics", package: "swift-metrics"),
                .product(name: "DequeModule", package: "swift-collections"),
                .product(name: "HeapModule", package: "swift-collections"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "Yams", package: "Yams", condition: .when(traits: ["YAML"])),
            ],
            swiftSettings: settings
        ),
        // Apart from the core, since ServiceLifecycle brings swift-async-algorithms and swift-collections along.
        .target(
            name: "ModelGatewayLifecycle",
            dependencies: [
                "ModelGateway",
                .product(name: "Logging", package: "swift-log"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ],
            swiftSettings: settings
        ),
        .target(
            name: "ModelGatewayLlama",
            dependencies: [
                "GatewaySystem",
                "GatewayWire",
                "ModelGateway",
                .target(name: "CLlama", condition: .when(traits: ["LlamaCpp"])),
                .product(name: "Logging", package: "swift-log"),
            ],
            swiftSettings: settings
        ),
        .target(
            name: "ModelGatewayServer",
            dependencies: [
                "GatewaySystem",
                "GatewayWire",
                "ModelGateway",
                .product(name: "DequeModule", package: "swift-collections"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "HummingbirdCore", package: "hummingbird"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHPACK", package: "swift-nio-http2"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOHPACK", package: "swift-nio-http2"),
                .product(name: "NIOHTTP2", package: "swift-nio-http2"),
                .product(name: "NIOHTTPTypesHTTP1", package: "swift-nio-extras"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
                .product(name: "NIOTLS", package: "swift-nio"),
                .product(name: "SwiftASN1", package: "swift-asn1"),
                .product(name: "X509", package: "swift-certificates"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ],
            swiftSettings: settings
        ),
        .target(
            name: "ModelGatewayTelemetry",
            dependencies: [
                "GatewaySystem",
                "GatewayWire",
                "ModelGateway",
                .product(name: "CoreMetrics", package: "swift-metrics"),
                .product(name: "Logging", package: "swift-log"),
            ],
            swiftSettings: settings
        ),
        .target(
            name: "ModelGatewayTesting",
            dependencies: ["GatewaySystem", "GatewayWire", "ModelGateway"],
            swiftSettings: settings
        ),
        .target(
            name: "ModelGatewayTracing",
            dependencies: [
                "ModelGateway",
                .product(name: "Tracing", package: "swift-distributed-tracing"),
            ],
            swiftSettings: settings
        ),
        .executableTarget(
            name: "gateway",
            dependencies: [
                "GatewaySystem",
                "GatewayWire",
                "ModelGateway",
                "ModelGatewayLifecycle",
                "ModelGatewayLlama",
                "ModelGatewayServer",
                "ModelGatewayTelemetry",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "CoreMetrics", package: "swift-metrics"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "UnixSignals", package: "swift-service-lifecycle"),
            ],
            swiftSettings: settings
        ),
        .executableTarget(
            name: "CommandLineChat",
            dependencies: ["ModelGateway"],
            path: "Examples/CommandLineChat",
            packageAccess: false,
            swiftSettings: settings
        ),
        .executableTarget(
            name: "SemanticSearch",
            dependencies: ["ModelGateway"],
            path: "Examples/SemanticSearch",
            packageAccess: false,
            swiftSettings: settings
        ),
        .executableTarget(
            name: "HummingbirdApp",
            dependencies: [
                "ModelGateway",
                "ModelGatewayServer",
                .product(name: "Hummingbird", package: "hummingbird"),
            ],
            path: "Examples/HummingbirdApp",
            packageAccess: false,
            swiftSettings: settings
        ),
        .executableTarget(
            name: "ReadConfiguration",
            dependencies: ["ModelGateway"],
            path: "Tests/ReadConfiguration",
            packageAccess: false,
            swiftSettings: settings
        ),
        // What an embedding program can do: without access to the `package` symbols, as one outside of this package.
        .testTarget(
            name: "EmbedderTests",
            dependencies: [
                "ModelGateway", "ModelGatewayTesting",
                .product(name: "Logging", package: "swift-log"),
            ],
            packageAccess: false,
            swiftSettings: settings
        ),
        .target(
            name: "TLSTesting",
            dependencies: [
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
                .product(name: "SwiftASN1", package: "swift-asn1"),
                .product(name: "X509", package: "swift-certificates"),
            ],
            path: "Tests/TLSTesting",
            swiftSettings: settings
        ),
        .testTarget(name: "GatewaySystemTests", dependencies: ["GatewaySystem"], swiftSettings: settings),
        .testTarget(name: "GatewayWireTests", dependencies: ["GatewayWire"], swiftSettings: settings),
        .testTarget(
            name: "ModelGatewayTests",
            dependencies: [
                "GatewayWire",
                "ModelGateway",
                "ModelGatewayServer",
                "ModelGatewayTelemetry",
                "ModelGatewayTesting",
                "TLSTesting",
                .product(name: "CoreMetrics", package: "swift-metrics"),
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHPACK", package: "swift-nio-http2"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOHTTP2", package: "swift-nio-http2"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
            ],
            swiftSettings: settings
        ),
        .testTarget(
            name: "ModelGatewayLlamaTests",
            dependencies: ["GatewayWire", "ModelGateway", "ModelGatewayLlama", "ModelGatewayTesting"],
            swiftSettings: settings
        ),
        .testTarget(
            name: "ModelGatewayServerTests",
            dependencies: [
                "GatewaySystem",
                "GatewayWire",
                "ModelGateway",
                "ModelGatewayServer",
                "ModelGatewayTesting",
                "TLSTesting",
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOEmbedded", package: "swift-nio"),
                .product(name: "NIOHPACK", package: "swift-nio-http2"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOHTTP2", package: "swift-nio-http2"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
                .product(name: "NIOTLS", package: "swift-nio"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ],
            swiftSettings: settings
        ),
        .testTarget(
            name: "ModelGatewayTelemetryTests",
            dependencies: [
                "GatewayWire",
                "ModelGateway",
                "ModelGatewayTelemetry",
                .product(name: "CoreMetrics", package: "swift-metrics"),
                .product(name: "Logging", package: "swift-log"),
            ],
            swiftSettings: settings
        ),
        .testTarget(
            name: "ModelGatewayLifecycleTests",
            dependencies: [
                "ModelGateway",
                "ModelGatewayLifecycle",
                "ModelGatewayServer",
                "ModelGatewayTesting",
                .product(name: "Logging", package: "swift-log"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ],
            swiftSettings: settings
        ),
        .testTarget(
            name: "ModelGatewayTracingTests",
            dependencies: [
                "ModelGateway",
                "ModelGatewayTesting",
                "ModelGatewayTracing",
                .product(name: "InMemoryTracing", package: "swift-distributed-tracing"),
                .product(name: "Tracing", package: "swift-distributed-tracing"),
            ],
            swiftSettings: settings
        ),
        .testTarget(
            name: "EndToEndTests",
            dependencies: [
                "CommandLineChat", "GatewayWire", "HummingbirdApp", "ModelGateway", "ModelGatewayTesting",
                "SemanticSearch", "gateway",
            ],
            exclude: ["bad_input.py", "openai_client.py"],
            swiftSettings: settings
        ),
    ],
    swiftLanguageModes: [.v6]
)
