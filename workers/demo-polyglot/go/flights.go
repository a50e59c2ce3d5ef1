package main

import (
	"cmp"
	"slices"
)

// maxAirports is the maximum number of airports in the result.
const maxAirports = 5

// Network is the part of the result of step routes that is used here.
type Network struct {
	Airports []struct {
		Code string `json:"code"`
		City string `json:"city"`
	} `json:"airports"`
	Routes []struct {
		From    string `json:"from"`
		To      string `json:"to"`
		Flights int    `json:"flights"`
	} `json:"routes"`
}

// Busiest has the airports with the most flights, the busiest first.
type Busiest struct {
	Flights  int       `json:"flights"`
	Airports []Airport `json:"airports"`
}

// Airport counts departures and arrivals together.
type Airport struct {
	Code    string `json:"code"`
	City    string `json:"city"`
	Flights int    `json:"flights"`
}

func countFlights(network Network) Busiest {
	all := 0
	flights := map[string]int{}
	for _, route := range network.Routes {
		all += route.Flights
		flights[route.From] += route.Flights
		flights[route.To] += route.Flights
	}
	airports := make([]Airport, 0, len(network.Airports))
	for _, airport := range network.Airports {
		airports = append(airports, Airport{airport.Code, airport.City, flights[airport.Code]})
	}
	slices.SortFunc(airports, func(a, b Airport) int {
		return cmp.Or(cmp.Compare(b.Flights, a.Flights), cmp.Compare(a.Code, b.Code))
	})
	return Busiest{all, airports[:min(maxAirports, len(airports))]}
}
