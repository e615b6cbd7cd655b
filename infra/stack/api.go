package stack

import (
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsapigatewayv2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslogs"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsroute53"
	"github.com/aws/jsii-runtime-go"

	"paddock/shared/route"
)

// Throttling of the whole stage, a lid on cost and on what the tables get.
const (
	requestsPerSecond = 500
	requestBurst      = 1000
)

// accessLogFormat names no path and no query: either may hold what a client
// should not have put there.
const accessLogFormat = `{"request_id":"$context.requestId","time":"$context.requestTimeEpoch",` +
	`"source_ip":"$context.identity.sourceIp","route":"$context.routeKey","status":"$context.status",` +
	`"response_bytes":"$context.responseLength","latency_ms":"$context.responseLatency",` +
	`"integration_error":"$context.integrationErrorMessage"}`

func (s *deployment) addAPI() {
	s.api = awsapigatewayv2.NewCfnApi(s.cdk, jsii.String("HttpApi"), &awsapigatewayv2.CfnApiProps{
		Name:                      jsii.String(s.props.Prefix),
		ProtocolType:              jsii.String("HTTP"),
		DisableExecuteApiEndpoint: jsii.Bool(s.props.BaseDomain != ""),
	})
	group := awslogs.NewCfnLogGroup(s.cdk, jsii.String("HttpApiLog"), &awslogs.CfnLogGroupProps{
		LogGroupName:    jsii.String("/aws/vendedlogs/" + s.props.Prefix + "/http-api"),
		RetentionInDays: jsii.Number(s.props.LogRetentionDays),
	})
	stage := awsapigatewayv2.NewCfnStage(s.cdk, jsii.String("HttpApiStage"), &awsapigatewayv2.CfnStageProps{
		ApiId:      s.api.Ref(),
		StageName:  jsii.String("$default"),
		AutoDeploy: jsii.Bool(true),
		DefaultRouteSettings: &awsapigatewayv2.CfnStage_RouteSettingsProperty{
			ThrottlingRateLimit:  jsii.Number(requestsPerSecond),
			ThrottlingBurstLimit: jsii.Number(requestBurst),
		},
		AccessLogSettings: &awsapigatewayv2.CfnStage_AccessLogSettingsProperty{
			DestinationArn: group.AttrArn(), Format: jsii.String(accessLogFormat),
		},
	})
	if s.props.BaseDomain != "" {
		s.addDomain("Domain", s.props.BaseDomain, stage)
		s.addDomain("WorkspaceDomain", "*."+s.props.BaseDomain, stage)
	}
}

// addDomain gives the API a name of its own.
func (s *deployment) addDomain(id, name string, stage awsapigatewayv2.CfnStage) {
	domain := awsapigatewayv2.NewCfnDomainName(s.cdk, jsii.String(id), &awsapigatewayv2.CfnDomainNameProps{
		DomainName: jsii.String(name),
		DomainNameConfigurations: &[]any{&awsapigatewayv2.CfnDomainName_DomainNameConfigurationProperty{
			CertificateArn: jsii.String(s.props.CertificateARN),
			EndpointType:   jsii.String("REGIONAL"),
			SecurityPolicy: jsii.String("TLS_1_2"),
		}},
	})
	mapping := awsapigatewayv2.NewCfnApiMapping(s.cdk, jsii.String(id+"Mapping"), &awsapigatewayv2.CfnApiMappingProps{
		ApiId: s.api.Ref(), DomainName: domain.Ref(), Stage: stage.Ref(),
	})
	mapping.AddDependency(stage)
	if s.props.HostedZoneID == "" {
		return
	}
	awsroute53.NewCfnRecordSet(s.cdk, jsii.String(id+"Record"), &awsroute53.CfnRecordSetProps{
		HostedZoneId: jsii.String(s.props.HostedZoneID),
		Name:         jsii.String(name),
		Type:         jsii.String("A"),
		AliasTarget: &awsroute53.CfnRecordSet_AliasTargetProperty{
			DnsName: domain.AttrRegionalDomainName(), HostedZoneId: domain.AttrRegionalHostedZoneId(),
		},
	})
}

// addRoutes adds the routes of the route table, one integration per function
// and one permission per route.
func (s *deployment) addRoutes() {
	integrations := map[route.Function]awsapigatewayv2.CfnIntegration{}
	for _, one := range route.Gateway() {
		function := s.functions[string(one.Function)]
		integration, found := integrations[one.Function]
		if !found {
			integration = awsapigatewayv2.NewCfnIntegration(s.cdk, jsii.String(logicalID(string(one.Function))+"Integration"),
				&awsapigatewayv2.CfnIntegrationProps{
					ApiId:                s.api.Ref(),
					IntegrationType:      jsii.String("AWS_PROXY"),
					IntegrationUri:       function.AttrArn(),
					PayloadFormatVersion: jsii.String("2.0"),
				})
			integrations[one.Function] = integration
		}
		s.addRoute(one, function, integration)
	}
}

func (s *deployment) addRoute(one route.GatewayRoute, function awslambda.CfnFunction, integration awsapigatewayv2.CfnIntegration) {
	id := RouteID(one.Key)
	added := awsapigatewayv2.NewCfnRoute(s.cdk, jsii.String(id+"Route"), &awsapigatewayv2.CfnRouteProps{
		ApiId:             s.api.Ref(),
		RouteKey:          jsii.String(one.Key),
		AuthorizationType: jsii.String("NONE"),
		Target: awscdk.Fn_Join(jsii.String("/"), &[]*string{
			jsii.String("integrations"), integration.Ref(),
		}),
	})
	permission := awslambda.NewCfnPermission(s.cdk, jsii.String(id+"Permission"), &awslambda.CfnPermissionProps{
		Action:       jsii.String("lambda:InvokeFunction"),
		FunctionName: function.AttrArn(),
		Principal:    jsii.String("apigateway.amazonaws.com"),
		SourceArn: awscdk.Fn_Sub(jsii.String("arn:${AWS::Partition}:execute-api:${AWS::Region}:${AWS::AccountId}:"+
			"${HttpApi}/"+routeSource(one.Key)), nil),
	})
	if strings.HasSuffix(one.Key, "/") {
		// API Gateway refuses a key that ends in a slash and lets the greedy
		// route take such a path; the local engine needs the key.
		added.CfnOptions().SetCondition(s.lenient)
		permission.CfnOptions().SetCondition(s.lenient)
	}
}

// RouteID returns the part of logical ids that names a route key, one text
// for each key.
func RouteID(key string) string {
	method, path, found := strings.Cut(key, " ")
	if !found {
		return "Default"
	}
	var out strings.Builder
	if method != "ANY" {
		out.WriteString(logicalID(strings.ToLower(method)))
	}
	for part := range strings.SplitSeq(strings.TrimPrefix(path, "/"), "/") {
		switch {
		case part == "":
			out.WriteString("Slash")
		case strings.HasPrefix(part, "{"):
			out.WriteString("Below")
		default:
			out.WriteString(logicalID(strings.TrimLeft(part, ".")))
		}
	}
	return strings.ReplaceAll(out.String(), "-", "")
}

// routeSource returns stage, method and path of a route as they stand in the
// ARN that API Gateway gives as source of a call.
func routeSource(key string) string {
	method, path, found := strings.Cut(key, " ")
	if !found {
		return "*/" + key
	}
	if method == "ANY" {
		method = "*"
	}
	return "*/" + method + path
}
